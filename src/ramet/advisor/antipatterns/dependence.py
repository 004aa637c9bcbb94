"""Pure: services that cannot live without each other: shared tables, common changes, circles, chatter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ramet.advisor.antipatterns.evidence import FEWEST_COMMITS, PLACES, Evidence, some
from ramet.advisor.circles import circles
from ramet.advisor.facts import Place
from ramet.advisor.finding import Finding, Severity, Strength
from ramet.advisor.phrases import counted, listed, verb

SHARED_SHARE = 0.3
CHATTY_SITES = 10
CHATTY_CALLS = 10.0


class Use(NamedTuple):
    """A table is declared, read or written here."""

    place: Place
    writes: bool


def distributed_monolith(evidence: Evidence) -> Iterator[Finding]:
    """Services that are changed together."""
    for pair in evidence.together:
        if pair.share >= SHARED_SHARE and pair.commits >= FEWEST_COMMITS:
            yield Finding(
                rule="distributed-monolith",
                subject=(pair.first, pair.second),
                measure=pair.share,
                threshold=SHARED_SHARE,
                message=f"{pair.first} and {pair.second} changed together in {counted(pair.commits, 'commit')}, "
                f"{pair.share:.0%} of those that changed the one of them that changes less"
                + (", and one asks the other." if pair.calls else "."),
                strength=Strength.STRONG if pair.calls or pair.tables else Strength.MODERATE,
                places=pair.calls[:PLACES],
            )


def chatty(evidence: Evidence) -> Iterator[Finding]:
    """Services that ask each other very often, in the code or as traffic shows."""
    for asked in evidence.units.asked:
        if len(asked.places) >= CHATTY_SITES:
            yield Finding(
                rule="chatty-services",
                subject=(asked.source, asked.target),
                measure=float(len(asked.places)),
                threshold=float(CHATTY_SITES),
                strength=Strength.WEAK,
                places=asked.places[:PLACES],
                message=f"{asked.source} asks {asked.target} in {counted(len(asked.places), 'place')} of its code.",
            )
    incoming: dict[str, int] = {}
    for call in evidence.facts.traffic:
        incoming[call.target] = incoming.get(call.target, 0) + call.count
    for call in evidence.facts.traffic:
        served = incoming.get(call.source, 0)
        if served and call.count / served >= CHATTY_CALLS:
            yield Finding(
                rule="chatty-services",
                subject=(call.source, call.target, call.operation),
                measure=call.count / served,
                threshold=CHATTY_CALLS,
                strength=Strength.STRONG,
                message=f"{call.source} called {call.operation} of {call.target} {call.count / served:.1f} times "
                f"for each request it served ({call.mean_ms:.1f} ms each).",
            )


def shared_database(evidence: Evidence) -> Iterator[Finding]:
    """Tables that several services use."""
    if not evidence.units.several:
        return
    users: dict[str, dict[str, list[Use]]] = {}
    idle = {one.path for one in evidence.facts.modules if one.role in ("tests", "migrations")}
    declared: dict[str, set[str]] = {}
    for one in evidence.facts.tables:
        if one.framework != "sql" and (unit := evidence.units.of(one.place.path)) is not None:
            declared.setdefault(one.name, set()).add(unit)
    uses = [(one.table, Use(Place(path=one.path, line=one.line), one.writes)) for one in evidence.facts.accesses]
    uses += [(one.name, Use(one.place, writes=False)) for one in evidence.facts.tables]
    for table, use in uses:
        if use.place.path not in idle and (unit := evidence.units.of(use.place.path)) is not None:
            users.setdefault(table, {}).setdefault(unit, []).append(use)
    for table_name, by_unit in sorted(users.items()):
        if len(by_unit) > 1:
            apart = declared.get(table_name, set()) >= set(by_unit)
            yield _namesakes(table_name, by_unit) if apart else _shared_table(table_name, by_unit)


def _shared_table(table: str, by_unit: dict[str, list[Use]]) -> Finding:
    writers = sorted(unit for unit, uses in by_unit.items() if any(use.writes for use in uses))
    names = listed(sorted(by_unit), most=20)
    written = f"; {listed(writers)} {verb(len(writers), 'writes', 'write')} it" if writers else ""
    return Finding(
        rule="shared-database",
        subject=(table, *sorted(by_unit)),
        measure=float(len(by_unit)),
        threshold=1.0,
        message=f"The table {table} is used by {names}{written}.",
        severity=Severity.ERROR if len(writers) > 1 else Severity.WARNING,
        strength=Strength.STRONG if writers else Strength.MODERATE,
        places=some(use.place for uses in by_unit.values() for use in uses[:3]),
    )


def _namesakes(table: str, by_unit: dict[str, list[Use]]) -> Finding:
    """Every service declares the table itself: one table with several models, or several of one name."""
    return Finding(
        rule="shared-database",
        subject=(table, *sorted(by_unit)),
        measure=float(len(by_unit)),
        threshold=1.0,
        message=f"{listed(sorted(by_unit), most=20)} each declare a table {table}: if it is one, they share it.",
        severity=Severity.NOTE,
        strength=Strength.WEAK,
        places=some(uses[-1].place for uses in by_unit.values()),
    )


def cyclic(evidence: Evidence) -> Iterator[Finding]:
    """Services that ask each other in a circle."""
    targets: dict[str, set[str]] = {}
    for asked in evidence.units.asked:
        targets.setdefault(asked.source, set()).add(asked.target)
    for circle in circles(targets):
        places = [
            place
            for asked in evidence.units.asked
            if asked.source in circle and asked.target in circle
            for place in asked.places[:2]
        ]
        yield Finding(
            rule="cyclic-services",
            subject=circle,
            measure=float(len(circle)),
            threshold=1.0,
            message=f"{listed(circle, most=20)} ask each other, directly or through others.",
            strength=Strength.STRONG,
            places=some(places),
        )


def better_joined(evidence: Evidence) -> Iterator[Finding]:
    """Pairs with several reasons to be one."""
    for pair in evidence.together:
        reasons = []
        if pair.share >= 0.5 and pair.commits >= FEWEST_COMMITS:
            reasons.append(f"they change together ({pair.share:.0%})")
        if pair.tables:
            reasons.append(f"they share {counted(len(pair.tables), 'table')} ({listed(pair.tables, most=3)})")
        if len(pair.calls) >= 3:
            reasons.append(f"one asks the other in {len(pair.calls)} places")
        if pair.authors_alike >= 0.8 and pair.commits >= FEWEST_COMMITS:
            reasons.append("the same people change them")
        if len(reasons) >= 2:
            yield Finding(
                rule="merge",
                subject=(pair.first, pair.second),
                measure=float(len(reasons)),
                threshold=1.0,
                message=f"{pair.first} and {pair.second} are better joined: {'; '.join(reasons)}.",
                strength=Strength.STRONG if len(reasons) > 2 else Strength.MODERATE,
                places=pair.calls[:PLACES],
            )
