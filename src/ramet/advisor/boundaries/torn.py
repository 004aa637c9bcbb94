"""Pure: tables on both sides of a cut: which are shared, which transactions are torn, and the saga they would need.

What a transaction touches is known as far as tables are touched in its own function, or in functions that it calls by
a name that says which they are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import NamedTuple

from ramet.advisor.boundaries.values import SagaStep, Shared, Torn
from ramet.advisor.facts import Access, Facts, Place

MOST_PLACES = 20
NOT_KNOWN = 0.5


class Held(NamedTuple):
    """What a transaction does to a table, at a line of its own, which may be a call; `place` is where that is done."""

    line: int
    table: str
    writes: bool
    place: Place


class Tables:
    """Who declares and who touches each table, by path; a table declared nowhere belongs to who writes it most.

    What tests and migrations touch is left out: they are not there when the parts run.
    """

    def __init__(self, facts: Facts) -> None:
        idle = {one.path for one in facts.modules if one.role in ("tests", "migrations")}
        self.home = {table.name: table.place.path for table in facts.tables}
        self.users: dict[str, list[Access]] = {}
        held: defaultdict[tuple[str, str], set[Held]] = defaultdict(set)
        writers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for access in facts.accesses:
            if access.path in idle:
                continue
            self.users.setdefault(access.table, []).append(access)
            writers[access.table][access.path] += 1 + access.writes
            if access.transaction:
                place = Place(path=access.path, line=access.line)
                held[access.path, access.transaction].add(Held(access.line, access.table, access.writes, place))
        for one in facts.reached:
            held[one.place.path, one.transaction].add(Held(one.place.line, one.table, one.writes, one.access))
        for name, paths in writers.items():
            self.home.setdefault(name, min((-count, path) for path, count in paths.items())[1])
        self.held = {
            key: sorted(found, key=lambda one: (one.line, one.place.path, one.place.line, one.table, one.writes))
            for key, found in sorted(held.items())
            if len({one.table for one in found}) > 1
        }

    def of(self, modules: AbstractSet[str]) -> tuple[str, ...]:
        """The tables that belong to these modules."""
        return tuple(sorted(name for name, path in self.home.items() if path in modules))

    def keeping(self, modules: AbstractSet[str]) -> float:
        """How far these modules keep data of their own: 0 if no table belongs to them, 1 if nobody else touches theirs.

        Half is for owning any; the other half is tables owned ÷ (owned + entangled). A table that both sides touch
        counts 1 if it is written across the cut and a half if it is read; a transaction that writes on both sides
        counts 1. One half where no table is known at all.
        """
        if not self.home:
            return NOT_KNOWN
        owned = sum(path in modules for path in self.home.values())
        if not owned:
            return 0.0
        across = [
            {access.writes for access in users if (access.path in modules) != (self.home[name] in modules)}
            for name, users in self.users.items()
        ]
        entangled = sum(1.0 if True in kinds else 0.5 for kinds in across if kinds)
        entangled += sum(
            len({self.home[one.table] in modules for one in accesses if one.writes}) == 2
            for accesses in self.held.values()
        )
        return 0.5 + 0.5 * owned / (owned + entangled)

    def shared(self, modules: AbstractSet[str]) -> tuple[Shared, ...]:
        """The tables that modules of both sides touch, those written across the cut first."""
        found = []
        for name, users in sorted(self.users.items()):
            owned = self.home[name] in modules
            across = [one for one in users if (one.path in modules) != owned]
            if across:
                told = sorted(across, key=lambda one: not one.writes)[:MOST_PLACES]
                places = tuple(Place(path=one.path, line=one.line) for one in told)
                written = any(one.writes for one in across)
                found.append(Shared(table=name, owned=owned, written_across=written, places=places))
        return tuple(sorted(found, key=lambda one: (not one.written_across, one.table)))

    def torn(self, modules: AbstractSet[str]) -> tuple[Torn, ...]:
        """The transactions that touch tables of both sides and write at least one, those that write on both first."""
        found = []
        for (path, name), accesses in self.held.items():
            sides = {one.table: self.home[one.table] in modules for one in accesses}
            if len(set(sides.values())) == 2 and any(one.writes for one in accesses):
                written = {sides[one.table] for one in accesses if one.writes}
                found.append(
                    Torn(
                        transaction=name,
                        place=Place(path=path, line=accesses[0].line),
                        inside=tuple(sorted(table for table, inside in sides.items() if inside)),
                        outside=tuple(sorted(table for table, inside in sides.items() if not inside)),
                        writes_both=len(written) == 2,
                        saga=tuple(_saga(accesses, sides)),
                    )
                )
        return tuple(sorted(found, key=lambda one: (not one.writes_both, one.place.path, one.place.line)))


def _saga(accesses: Iterable[Held], sides: dict[str, bool]) -> Iterable[SagaStep]:
    """One step for each stretch of lines that stays on one side; what was written is undone in reverse order."""
    for inside, stretch in groupby(accesses, key=lambda one: sides[one.table]):
        touched = list(stretch)
        written = list(dict.fromkeys(one.table for one in touched if one.writes))
        read = [table for table in dict.fromkeys(one.table for one in touched) if table not in written]
        do = [f"write {', '.join(written)}"] * bool(written) + [f"ask for {', '.join(read)}"] * bool(read)
        yield SagaStep(
            inside=inside,
            do=" and ".join(do),
            undo=f"take back what was written to {', '.join(reversed(written))}" if written else "",
            place=touched[0].place,
        )
