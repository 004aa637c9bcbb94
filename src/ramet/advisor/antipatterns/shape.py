"""Pure: services of the wrong size: gods, dwarfs, and those that only pass on."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.advisor.antipatterns.evidence import PLACES, Evidence
from ramet.advisor.finding import Finding, Severity, Strength
from ramet.advisor.phrases import counted

GOD_LINES = 0.4
GOD_FAN_IN = 0.6
NANO_LINES = 300
PASS_THROUGH = 0.7


def pass_through(evidence: Evidence) -> Iterator[Finding]:
    """A service that forwards and keeps nothing."""
    if not evidence.units.several:
        return
    for unit in evidence.units.all:
        routes = evidence.routes(unit)
        paths = {one.path for one in unit.modules}
        requests = [one.place for one in evidence.facts.requests if one.place.path in paths]
        keeps = any(one.place.path in paths for one in evidence.facts.tables)
        if len(routes) >= 2 and not keeps and len(requests) >= PASS_THROUGH * len(routes) and unit.lines < 2000:
            yield Finding(
                rule="pass-through-service",
                subject=(unit.name,),
                measure=len(requests) / len(routes),
                threshold=PASS_THROUGH,
                strength=Strength.WEAK,
                severity=Severity.NOTE,
                places=tuple(routes[:PLACES]),
                message=f"{unit.name} serves {counted(len(routes), 'route')}, makes requests in "
                f"{counted(len(requests), 'place')}, and keeps no data.",
            )


def god(evidence: Evidence) -> Iterator[Finding]:
    """A service that has most of the code, and that most others need."""
    units = evidence.units.all
    total = sum(one.lines for one in units)
    for unit in units if len(units) >= 4 else ():
        callers = evidence.callers(unit)
        fan_in = len(callers) / (len(units) - 1)
        if unit.lines > GOD_LINES * total and fan_in >= GOD_FAN_IN:
            yield Finding(
                rule="god-service",
                subject=(unit.name,),
                measure=fan_in,
                threshold=GOD_FAN_IN,
                message=f"{unit.name} has {unit.lines / total:.0%} of the code, and {len(callers)} of the "
                f"{len(units) - 1} others ask it.",
            )


def nano(evidence: Evidence) -> Iterator[Finding]:
    """A service smaller than the plumbing around it."""
    if not evidence.units.several:
        return
    for unit in evidence.units.all:
        routes = evidence.routes(unit)
        callers = evidence.callers(unit)
        if unit.lines < NANO_LINES and len(routes) <= 2 and len(callers) == 1:
            yield Finding(
                rule="nano-service",
                subject=(unit.name,),
                measure=float(unit.lines),
                threshold=float(NANO_LINES),
                message=f"{unit.name} has {counted(unit.lines, 'line')}, {counted(len(routes), 'route')} "
                f"and one caller, {min(callers)}.",
                places=tuple(routes[:PLACES]),
            )
