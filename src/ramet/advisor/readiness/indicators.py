"""Pure: five signs that one application holds its team up: deployment, scaling, conflict, technology, failure impact.

Each says what was measured and what would be fine; a sign without data is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ramet.advisor.facts import Call, Fact, Facts, Kind, Place
from ramet.advisor.history.delivery import Delivery, weeks_known
from ramet.advisor.people import by_people
from ramet.advisor.phrases import counted, verb

YEAR = 365 * 86_400.0
RARE_RELEASES = 0.5
CROWDED_AUTHORS = 8
CROWDED_SHARE = 0.1
LANGUAGES = 3
HUB_SHARE = 0.3
PLACES = 5


class Indicator(Fact):
    """One sign: `points` is true where it points to splitting, false where not, None where nobody can tell."""

    name: str
    points: bool | None
    evidence: str
    places: tuple[Place, ...] = ()


def indicators(facts: Facts, delivered: Delivery) -> tuple[Indicator, ...]:
    """All five, always in this order."""
    return (_deployment(facts, delivered), _scaling(facts), _conflict(facts), _technology(facts), _failure(facts))


def _deployment(facts: Facts, delivered: Delivery) -> Indicator:
    """Many changes wait for few releases."""
    frequency = next((one.value for one in delivered.figures if one.name == "deployment frequency"), None)
    if frequency is None or not facts.commits:
        evidence = (
            "Fewer than three release tags in the last year of the history: nothing says how often it is released."
        )
        return Indicator(name="deployment bottleneck", points=None, evidence=evidence)
    newest = facts.commits[0].at
    changes = sum(1 for one in facts.commits if one.at > newest - YEAR and not one.merge) / weeks_known(facts)
    each = changes / frequency if frequency else changes
    evidence = f"{frequency:.1f} releases and {changes:.0f} commits a week: {each:.0f} changes wait for each release"
    return Indicator(name="deployment bottleneck", points=frequency < RARE_RELEASES and each > 50, evidence=evidence)


def _scaling(facts: Facts) -> Indicator:
    """Some parts have far more traffic than others; only traffic says so."""
    if not facts.traffic:
        return Indicator(
            name="scaling",
            points=None,
            evidence="Nothing says how much traffic each part has: give traces with --traces.",
        )
    load = own_time(facts.traffic)
    total = sum(load.values()) or 1
    busiest, most = min(load.items(), key=lambda one: (-one[1], one[0]))
    evidence = (
        f"{busiest} has {most / total:.0%} of the time of all calls, waiting for others left out, of {len(load)} parts"
    )
    return Indicator(name="scaling", points=len(load) > 2 and most / total > 0.5, evidence=evidence)


def own_time(traffic: Iterable[Call]) -> Mapping[str, int]:
    """Milliseconds that each part that was called worked itself: what it waited for others is theirs."""
    load: Counter[str] = Counter()
    waited: Counter[str] = Counter()
    for call in traffic:
        load[call.target] += round(call.count * call.mean_ms)
        waited[call.source] += round(call.count * call.mean_ms)
    return {name: max(0, time - waited[name]) for name, time in load.items()}


def _conflict(facts: Facts) -> Indicator:
    """Many people change the same files."""
    if not facts.commits:
        return Indicator(name="conflict", points=None, evidence="There is no history.")
    newest = facts.commits[0].at
    authors: dict[str, set[str]] = {}
    known = {one.path for one in facts.modules if one.role not in ("tests", "migrations")}
    for commit in by_people(facts.commits):
        if commit.at > newest - YEAR and not commit.merge:
            for path in commit.files:
                if path in known:
                    authors.setdefault(path, set()).add(commit.author)
    if not authors:
        return Indicator(
            name="conflict", points=None, evidence="No module was changed in the last year of the history."
        )
    crowded = sorted(
        (path for path, who in authors.items() if len(who) >= CROWDED_AUTHORS), key=lambda p: (-len(authors[p]), p)
    )
    share = len(crowded) / len(authors)
    changed = counted(len(authors), "module")
    evidence = f"{len(crowded)} of {changed} changed in the last year had {CROWDED_AUTHORS} or more authors"
    places = tuple(Place(path=path, line=1) for path in crowded[:PLACES])
    return Indicator(name="conflict", points=share >= CROWDED_SHARE, evidence=evidence, places=places)


def _technology(facts: Facts) -> Indicator:
    """Parts want different technologies already."""
    found = sorted(
        {
            one.detail.lower()
            for one in facts.signals
            if one.name == "language" and one.detail.lower() not in ("", "python")
        }
    )
    if not found:
        return Indicator(name="technology", points=False, evidence="Everything is Python.")
    evidence = f"besides Python there is {', '.join(found)}"
    return Indicator(name="technology", points=len(found) >= LANGUAGES, evidence=evidence)


def _failure(facts: Facts) -> Indicator:
    """A few modules can take everything down: nearly all depend on them."""
    modules = {one.path for one in facts.modules if one.role not in ("tests", "migrations")}
    users: Counter[str] = Counter()
    for edge in facts.edges:
        if edge.kind in (Kind.IMPORT, Kind.LAZY) and edge.source in modules and edge.target in modules:
            users[edge.target] += 1
    if len(modules) < 20 or not users:
        return Indicator(name="failure impact", points=None, evidence="There are too few modules to tell.")
    hubs = [(path, count) for path, count in sorted(users.items()) if count / len(modules) >= HUB_SHARE]
    path, most = min(users.items(), key=lambda one: (-one[1], one[0]))
    least = f"{len(hubs)} {verb(len(hubs), 'module is', 'modules are')} imported by {HUB_SHARE:.0%} or more"
    evidence = f"{path} is imported by {most / len(modules):.0%} of all modules; {least}"
    return Indicator(name="failure impact", points=bool(hubs), evidence=evidence, places=(Place(path=path, line=1),))
