"""Pure: parts that reach into the data of others: what makes a later cut expensive, and can be stopped today."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.advisor.circles import circles
from ramet.advisor.coupling.kinds import Coupled, Coupling, CouplingKind
from ramet.advisor.finding import Finding, Rule, Severity, Strength
from ramet.advisor.phrases import counted, listed

RULES: tuple[Rule, ...] = (
    Rule(
        id="foreign-write",
        title="A part writes another part's table",
        why="Only who owns a table can keep its rules; each foreign write is a transaction that a cut would tear.",
        remedy="Ask the owner through a function of its own, so that a contract can take its place later.",
    ),
    Rule(
        id="cyclic-parts",
        title="Parts need each other in a circle",
        why="Parts in a circle can only be understood, tested and taken out together.",
        remedy="Turn one direction around: an event, a callback, or a third part that both need.",
    ),
)
FEWEST_PLACES_IN_A_CIRCLE = 3
PLACES = 10


def reaching(coupling: Coupling, *, services: bool = False) -> Iterator[Finding]:
    """A finding for each table that another part writes, and for each circle of parts.

    Where the parts are services already, tables in common are for the detector of shared databases.
    """
    for one in coupling.items:
        if one.kind is CouplingKind.DATA and one.what.startswith("writes ") and not services:
            yield _foreign_write(one)
    yield from _circles(coupling)


def _foreign_write(one: Coupled) -> Finding:
    table = one.what.removeprefix("writes ")
    return Finding(
        rule="foreign-write",
        subject=(one.source, one.target, table),
        message=f"{one.source} writes {table} of {one.target} in {counted(round(one.measure), 'place')}.",
        severity=Severity.WARNING,
        strength=Strength.STRONG,
        places=one.places[:PLACES],
        measure=one.measure,
        threshold=0.0,
    )


def _circles(coupling: Coupling) -> Iterator[Finding]:
    strong: dict[str, set[str]] = {}
    places: dict[tuple[str, str], list[Coupled]] = {}
    for one in coupling.items:
        if one.kind is CouplingKind.DOMAIN:
            places.setdefault((one.source, one.target), []).append(one)
    for (source, target), items in places.items():
        if sum(len(one.places) for one in items) >= FEWEST_PLACES_IN_A_CIRCLE:
            strong.setdefault(source, set()).add(target)
    for circle in circles(strong):
        inside = [
            place
            for (source, target), items in sorted(places.items())
            if source in circle and target in circle
            for place in items[0].places[:1]
        ]
        yield Finding(
            rule="cyclic-parts",
            subject=circle,
            message=f"{len(circle)} parts need each other, directly or through others: {listed(circle)}.",
            severity=Severity.NOTE,
            strength=Strength.STRONG,
            places=tuple(inside[:PLACES]),
            measure=float(len(circle)),
            threshold=1.0,
        )
