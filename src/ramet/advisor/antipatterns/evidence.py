"""Pure: what the detectors look at."""

from __future__ import annotations

from collections.abc import Iterable

from ramet.advisor.facts import Facts, Place
from ramet.advisor.together import Together, together
from ramet.advisor.units import Unit, Units

PLACES = 10
FEWEST_COMMITS = 10


class Evidence:
    """What the detectors look at."""

    def __init__(self, facts: Facts, developers: int | None) -> None:
        self.facts = facts
        self.developers = developers
        self.units = Units(facts)
        self.together: tuple[Together, ...] = together(facts, self.units)

    def routes(self, unit: Unit) -> list[Place]:
        """Where a unit serves routes."""
        paths = {one.path for one in unit.modules}
        return [one.place for one in self.facts.routes if one.place.path in paths]

    def callers(self, unit: Unit) -> set[str]:
        """The units that ask this one."""
        return {one.source for one in self.units.asked if one.target == unit.name}


def some(places: Iterable[Place]) -> tuple[Place, ...]:
    """The first few different places, in order."""
    return tuple(sorted(set(places), key=lambda one: (one.path, one.line))[:PLACES])
