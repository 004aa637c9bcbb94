"""Pure: what is said of a part that could become a service, as frozen values."""

from __future__ import annotations

from enum import StrEnum

from ramet.advisor.facts import Fact, Place
from ramet.advisor.finding import Strength


class Origin(StrEnum):
    """Where a candidate comes from: a folder, folders of one name, a cluster of the graph, or the user's own cut."""

    FOLDER = "folder"
    NAMESAKES = "namesakes"
    CLUSTER = "cluster"
    CUT = "cut"


class SagaStep(Fact):
    """A step of a saga. `inside`: the candidate does it, else what stays. `undo` is "" where nothing was written."""

    inside: bool
    do: str
    undo: str
    place: Place


class Torn(Fact):
    """A transaction that touches tables of both sides and needs a saga; `writes_both` if it writes on both."""

    transaction: str
    place: Place
    inside: tuple[str, ...]
    outside: tuple[str, ...]
    writes_both: bool
    saga: tuple[SagaStep, ...]


class Shared(Fact):
    """A table that both sides touch; `owned` if it is declared inside. `places` are the accesses across the cut."""

    table: str
    owned: bool
    written_across: bool
    places: tuple[Place, ...]


class Spot(Fact):
    """A hot spot: changed often and complex (Tornhill, Your Code as a Crime Scene, 2015): their product."""

    path: str
    changes: int
    complexity: int


class Effort(Fact):
    """Person-days, from and to, and what they were counted from. A rule of thumb, not a measurement."""

    least: float
    most: float
    basis: str


class Perspective(Fact):
    """How good the cut looks by `change`, by `scalability` or by `domain`: 0 to 1, None if nothing is known."""

    name: str
    value: float | None
    reason: str


class Score(Fact):
    """The parts of the rank, each 0 to 1, higher is better; `total` is their weighted mean.

    `data` says how far the modules keep tables of their own, `business` which share of them is no plumbing.
    """

    cohesion: float
    independence: float
    low_fan_in: float
    size: float
    vocabulary: float
    folders: float
    data: float
    business: float
    total: float


class Candidate(Fact):
    """A part that could be a service.

    `modules` are its code, tests and migrations left out; `links_out` and `links_in` count dependencies across the cut,
    `fan_in` and `fan_out` the modules at their other ends; `contract` are the names that the rest uses. `cohesion`
    and `independence` are among the parts of `score`.
    """

    name: str
    origin: Origin
    folders: tuple[str, ...]
    modules: tuple[str, ...]
    lines: int
    score: Score
    strength: Strength
    reasons: tuple[str, ...]
    fan_in: int
    fan_out: int
    links_in: int
    links_out: int
    crossing: tuple[Place, ...]
    contract: tuple[str, ...]
    tables: tuple[str, ...]
    shared: tuple[Shared, ...]
    torn: tuple[Torn, ...]
    commits: int
    commits_alone: int
    authors: int
    owners: tuple[str, ...]
    hot_spots: tuple[Spot, ...]
    words: tuple[str, ...]
    perspectives: tuple[Perspective, ...]
    effort: Effort


class Quality(Fact):
    """Internal measures of the partition (`ramet.advisor.boundaries.metrics`): they describe it, and prove nothing."""

    modularity: float
    crossing: float
    interfaces: float
    extremes: float
    quality: float
    purity: float


class Boundaries(Fact):
    """Candidates, the best evidence first, and the parts that the whole falls into.

    `parts` are clusters of modules, the largest first; `stability` (0 to 1) is how little chance decided on them;
    `left_out` says in words what was not considered, and how many of each.
    """

    candidates: tuple[Candidate, ...]
    parts: tuple[tuple[str, ...], ...]
    stability: float
    quality: Quality
    caveats: tuple[str, ...]
    left_out: tuple[tuple[str, int], ...]
