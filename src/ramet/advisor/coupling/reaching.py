"""Pure: parts that reach into the data of others: what makes a later cut expensive, and can be stopped today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ramet.advisor.circles import circles
from ramet.advisor.coupling.kinds import REQUESTS, Coupled, Coupling, CouplingKind
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
        id="models-layer",
        title="The tables of all parts are declared in one",
        why="Where everybody writes everybody's tables nobody owns them, and every cut goes through all of them.",
        remedy="Move each model to the part whose rules it holds; begin with the tables that one part alone writes.",
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
FEWEST_TABLES_OF_A_LAYER = 10
SHARE_OF_A_LAYER = 0.8
"""A part whose tables are so many, and get so much of all foreign writes, is a layer: one finding says it."""


def reaching(coupling: Coupling, *, services: bool = False) -> Iterator[Finding]:
    """A finding for each table that another part writes, and for each circle of parts.

    Where the parts are services already, tables in common are for the detector of shared databases.
    """
    writes = [one for one in coupling.items if one.kind is CouplingKind.DATA and one.what.startswith("writes ")]
    layer = None if services else _layer(writes)
    if layer is not None:
        yield _models_layer([one for one in writes if one.target == layer])
    for one in writes:
        if one.target != layer and not services:
            yield _foreign_write(one)
    yield from _circles(coupling)


def _layer(writes: Sequence[Coupled]) -> str | None:
    """The part that holds the models of all others, if there is one."""
    written = Counter(one.target for one in writes)
    for part, count in written.most_common(1):
        tables = {one.what for one in writes if one.target == part}
        if len(tables) >= FEWEST_TABLES_OF_A_LAYER and count >= SHARE_OF_A_LAYER * len(writes):
            return part
    return None


def _models_layer(writes: Sequence[Coupled]) -> Finding:
    tables, writers = {one.what for one in writes}, {one.source for one in writes}
    most = sorted(writes, key=lambda one: (-one.measure, one.source, one.what))
    return Finding(
        rule="models-layer",
        subject=(writes[0].target,),
        message=f"{counted(len(tables), 'table')} of {writes[0].target} are written by "
        f"{counted(len(writers), 'other part')}: {listed(sorted(writers), 4)}.",
        severity=Severity.WARNING,
        strength=Strength.STRONG,
        places=tuple(place for one in most[:PLACES] for place in one.places[:1]),
        measure=float(len(tables)),
        threshold=float(FEWEST_TABLES_OF_A_LAYER - 1),
    )


def _foreign_write(one: Coupled) -> Finding:
    table = one.what.removeprefix("writes ")
    return Finding(
        rule="foreign-write",
        subject=(one.source, one.target, table),
        message=f"{one.source} writes {table} of {one.target} in {counted(round(one.measure), 'place')}.",
        severity=Severity.WARNING,
        strength=Strength.STRONG,
        places=one.places[:PLACES],
        measure=float(one.measure),
        threshold=0.0,
    )


def _circles(coupling: Coupling) -> Iterator[Finding]:
    strong: dict[str, set[str]] = {}
    places: dict[tuple[str, str], list[Coupled]] = {}
    for one in coupling.items:
        if one.kind is CouplingKind.DOMAIN and not one.what.startswith(REQUESTS):
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
