"""Pure: the fifteen items of readiness, and what in a repository answers those that a repository can answer.

An item is detected only by what a repository really shows. Budgets, support and needs are questions to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from ramet.advisor.facts import Facts, Place, Signal
from ramet.advisor.people import by_people
from ramet.advisor.phrases import counted, verb

YEAR = 365 * 86_400.0
MANY_DEVELOPERS = 20
PLACES = 5


class Found(NamedTuple):
    """What was detected: whether the item holds, by what evidence, and where that is."""

    holds: bool
    evidence: str
    places: tuple[Place, ...] = ()


class Detected:
    """What the items look at."""

    def __init__(self, facts: Facts, strong_boundaries: int | None = None) -> None:
        self.facts = facts
        self.strong_boundaries = strong_boundaries

    @cached_property
    def newest(self) -> float:
        """The moment of the newest commit."""
        return self.facts.commits[0].at if self.facts.commits else 0.0

    def authors(self, since: float, until: float) -> set[str]:
        """Which people have committed between two moments."""
        return {one.author for one in by_people(self.facts.commits) if since < one.at <= until}

    @cached_property
    def developers(self) -> int | None:
        """Who committed at least three times in the year before the newest commit, counted; None where nobody did."""
        if not self.facts.commits:
            return None
        counts: dict[str, int] = {}
        for one in by_people(self.facts.commits):
            if one.at > self.newest - YEAR:
                counts[one.author] = counts.get(one.author, 0) + 1
        return sum(1 for count in counts.values() if count >= 3) or None

    def signals(self, *names: str) -> list[Signal]:
        """The signals of these names."""
        return [one for one in self.facts.signals if one.name in names]


class Item(NamedTuple):
    """One item: what holds where it is a yes, what a person is asked, and how it is detected, if it can be."""

    id: str
    question: str
    ask: str
    detect: Callable[[Detected], Found | None] | None = None


def _team(detected: Detected) -> Found | None:
    if detected.developers is None:
        return None
    count = detected.developers
    who = f"{count} {verb(count, 'person', 'people')}"
    evidence = f"{who} committed at least three times in the last year of the history"
    return Found(holds=detected.developers > MANY_DEVELOPERS, evidence=evidence)


def _teams(detected: Detected) -> Found | None:
    teams = sorted({owner for line in detected.facts.owners for owner in line.owners if "/" in owner})
    if len(teams) < 2:
        return None
    return Found(holds=True, evidence=f"CODEOWNERS names {len(teams)} teams: {', '.join(teams[:PLACES])}")


def _boundaries(detected: Detected) -> Found | None:
    strong = detected.strong_boundaries
    if strong is None:
        return None
    return Found(
        strong >= 3, f"{counted(strong, 'candidate')} for services with strong evidence; three are clear boundaries"
    )


def _shown(detected: Detected, what: str, names: Iterable[str], *, kinds: int = 1) -> Found | None:
    """A yes where signals of at least so many of these names are there; otherwise a repository cannot tell."""
    found = detected.signals(*names)
    seen = sorted({one.name for one in found})
    if len(seen) < kinds:
        return None
    return Found(holds=True, evidence=f"{what}: {', '.join(seen)}", places=tuple(one.place for one in found[:PLACES]))


def _pipeline(detected: Detected) -> Found | None:
    return _shown(detected, "the repository has a pipeline", ("ci", "deploy"))


def _containers(detected: Detected) -> Found | None:
    return _shown(detected, "the repository has", ("dockerfile", "compose", "kubernetes", "helm"))


def _observability(detected: Detected) -> Found | None:
    return _shown(
        detected, "the code or its requirements name", ("metrics", "tracing", "error-tracking", "health-check"), kinds=2
    )


def _api_design(detected: Detected) -> Found | None:
    return _shown(
        detected, "the repository has", ("openapi", "asyncapi", "graphql-schema", "protobuf", "contract-tests")
    )


def _databases(detected: Detected) -> Found | None:
    migrations = [one for one in detected.facts.modules if one.role == "migrations"]
    tests = {one.path for one in detected.facts.modules if one.role == "tests"}
    held = [one for one in detected.facts.accesses if one.transaction and one.path not in tests]
    if len(migrations) < 20 or len(held) < 10:
        return None
    evidence = f"{len(migrations)} migrations, and {len(held)} accesses to tables inside explicit transactions"
    return Found(
        holds=True, evidence=evidence, places=tuple(Place(path=one.path, line=one.line) for one in held[:PLACES])
    )


def _growth(detected: Detected) -> Found | None:
    commits = detected.facts.commits
    if not commits or detected.newest - commits[-1].at < 3 * YEAR:
        return None
    now = len(detected.authors(detected.newest - YEAR, detected.newest))
    before = len(detected.authors(detected.newest - 2 * YEAR, detected.newest - YEAR))
    evidence = f"{counted(now, 'author')} in the last year of the history, {before} in the year before"
    return Found(now >= before and now > 2, evidence)


ITEMS: tuple[Item, ...] = (
    Item("team-size", "The team has more than 20 developers", "Do more than 20 developers work on it?", _team),
    Item("several-teams", "Several teams work in one code base", "Do several teams work in this code base?", _teams),
    Item(
        "domain-boundaries", "The domain has clear boundaries", "Are the boundaries of the domain clear?", _boundaries
    ),
    Item(
        "management", "Management supports the change", "Does management support the change, also when it costs time?"
    ),
    Item(
        "operations-budget", "There is a budget for operations", "Is there a budget for operations: people and tools?"
    ),
    Item(
        "pipeline", "There is a CI/CD pipeline", "Is every change built, tested and deployed by a pipeline?", _pipeline
    ),
    Item(
        "containers",
        "There is experience with containers",
        "Does the team have experience with containers?",
        _containers,
    ),
    Item(
        "observability",
        "There is monitoring and observability",
        "Are metrics, logs and traces looked at?",
        _observability,
    ),
    Item("api-design", "There is expertise in API design", "Does the team design and version APIs?", _api_design),
    Item("database", "There are database skills", "Can the team split, migrate and tune databases?", _databases),
    Item("scalability", "There are clear needs to scale", "Do parts need to scale differently from the rest?"),
    Item("time-to-market", "Time to market is critical", "Is time to market critical?"),
    Item("availability", "Availability is important", "Would an hour without the system be a serious loss?"),
    Item("infrastructure", "There is a budget for infrastructure", "Is there a budget for more infrastructure?"),
    Item("long-term", "It grows in the long term", "Will it be developed for years, by more people?", _growth),
)
