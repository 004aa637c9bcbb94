"""Pure: coupling as values: what couples two parts, by how much, and where."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum

from ramet.advisor.facts import Fact, Place

REQUESTS = "makes requests to "
"""How domain coupling by requests begins, which has a rule of its own for circles."""


class CouplingKind(StrEnum):
    """How two parts depend on each other."""

    DATA = "data"
    DOMAIN = "domain"
    TEMPORARY = "temporary"
    CHANGE = "change"
    TEAM = "team"


class Coupled(Fact):
    """`source` depends on `target`; for change and team coupling the two are equals, sorted by name.

    `measure` counts places for data and temporary coupling, calls (or imports) for domain coupling; it is code-maat's
    degree in per cent for change coupling, and the share of authors in per cent for team coupling.
    """

    kind: CouplingKind
    source: str
    target: str
    measure: float
    what: str
    places: tuple[Place, ...]


class PartCoupling(Fact):
    """One part: how many parts need it, how many it needs, and how many items of each kind touch it."""

    name: str
    fan_in: int
    fan_out: int
    items: dict[str, int]


class Coupling(Fact):
    """All coupling between the parts; `ignored` says what thresholds kept out."""

    items: tuple[Coupled, ...]
    parts: tuple[PartCoupling, ...]
    ignored: tuple[str, ...] = ()

    def matrix(self) -> dict[tuple[str, str], dict[str, float]]:
        """Measures by pair of parts and kind: sums of counts, the highest of percentages."""
        cells: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for one in self.items:
            cell = cells[one.source, one.target]
            before = cell.get(one.kind.value, 0.0)
            share = one.kind in (CouplingKind.CHANGE, CouplingKind.TEAM)
            cell[one.kind.value] = max(before, one.measure) if share else before + one.measure
        return dict(cells)
