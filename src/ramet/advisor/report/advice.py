"""Pure: everything that is said of a code base, as one versioned document; each report shows the same."""

from __future__ import annotations

from ramet.advisor.boundaries.values import Candidate
from ramet.advisor.facts import Fact, Gap
from ramet.advisor.finding import Finding
from ramet.advisor.history.delivery import Delivery
from ramet.advisor.readiness.indicators import Indicator
from ramet.advisor.readiness.score import Advice as Verdict
from ramet.advisor.readiness.score import Readiness

FORMAT = "ramet.advice/1"
HEADLINES = {
    Verdict.STAY: "Stay with one application, and keep its parts apart inside it.",
    Verdict.HYBRID: "Stay with one application, and extract what gains most.",
    Verdict.ADOPT: "Services pay off here: extract them one after the other.",
}


SERVICES = {
    Verdict.STAY: "These are {count} services already: join what cannot live alone, and split nothing further.",
    Verdict.HYBRID: "These are {count} services already: mend what couples them before one more leaves.",
    Verdict.ADOPT: "These are {count} services already, and team and code can bear them: mend what couples them.",
}


class Counts(Fact):
    """How much was read. `services` are the units that are deployed by themselves already; 1 is a monolith."""

    modules: int
    lines: int
    commits: int
    tables: int
    routes: int = 0
    services: int = 1


class Cell(Fact):
    """The part `row` depends on the part `column` so often; `made_of` says by what."""

    row: str
    column: str
    weight: int
    made_of: str


class Matrix(Fact):
    """Who depends on whom."""

    parts: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()


class Step(Fact):
    """One step of the plan."""

    title: str
    lines: tuple[str, ...]


class Advice(Fact):
    """The whole report; `format` says which release's documents it is like."""

    format: str = FORMAT
    root: str
    counts: Counts
    readiness: Readiness
    indicators: tuple[Indicator, ...]
    delivery: Delivery
    candidates: tuple[Candidate, ...] = ()
    stability: float | None = None
    caveats: tuple[str, ...] = ()
    matrix: Matrix = Matrix()
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def headline(self) -> str:
        """The advice in one sentence."""
        if self.counts.services > 1:
            return SERVICES[self.readiness.advice].format(count=self.counts.services)
        return HEADLINES[self.readiness.advice]
