"""Pure: how often and how fast changes are delivered, from tags and history alone: proxies, with their caveats.

The four figures are those of DORA (Forsgren, Humble, Kim: Accelerate, 2018). A repository knows tags and commits, not
deployments and incidents, so every figure says what stands for what, and how far it can be trusted.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from statistics import median

from ramet.advisor.facts import Commit, Fact, Facts
from ramet.advisor.finding import Strength

DAY = 86_400.0
VERSION = re.compile(
    r"^(?P<prefix>.*?)(?P<number>\d{4}[-_.]\d{2}[-_.]\d{2}|\d+(?:\.\d+){1,3}"
    r"|(?<=^v)\d+|(?<=release[-_/])\d+|(?<=deploy[-_/])\d+|(?<=build[-_/])\d+)(?!\d)(?P<rest>.*)$"
)
DAY_OF_RELEASE = re.compile(r"\d{4}[-_.]\d{2}[-_.]\d{2}")
PRERELEASE = re.compile(r"(a|b|rc|alpha|beta|dev|pre)[.\-_]?\d*$", re.IGNORECASE)
REPAIR = re.compile(r"^\s*(revert|hotfix|hot-fix|rollback|roll back)\b", re.IGNORECASE)
FEWEST_RELEASES = 3


class Figure(Fact):
    """One of the four: its value in `unit` (None where it cannot be told), what stands for what, and how sure it is."""

    name: str
    value: float | None
    unit: str
    proxy: str
    strength: Strength = Strength.WEAK


class Delivery(Fact):
    """The figures of the last year of history, the tags they come from, and what to keep in mind."""

    pattern: str
    releases: int
    figures: tuple[Figure, ...]
    caveats: tuple[str, ...]


def delivery(facts: Facts, *, window_days: float = 365.0) -> Delivery:
    """The figures of the `window_days` before the newest commit, so that they do not depend on today."""
    newest = facts.commits[0].at if facts.commits else 0.0
    since = newest - window_days * DAY
    pattern, releases = _releases(facts.tags, since)
    recent = [at for _, at in releases if at >= since]
    commits = [one for one in facts.commits if one.at >= since]
    trust = Strength.MODERATE if len(recent) >= 10 else Strength.WEAK
    return Delivery(
        pattern=pattern,
        releases=len(recent),
        figures=(
            _frequency(recent, weeks_known(facts, window_days), trust),
            _lead_time(commits, [at for _, at in releases], trust),
            _failures(commits),
            _recovery(commits, [at for _, at in releases]),
        ),
        caveats=tuple(_caveats(facts, recent, commits)),
    )


def weeks_known(facts: Facts, window_days: float = 365.0) -> float:
    """How many weeks of the window there is a history of: a young project had no whole year to release in."""
    oldest = facts.commits[-1].at if facts.commits else 0.0
    span = (facts.commits[0].at - oldest) / DAY if facts.commits else window_days
    return max(1.0, min(window_days, span) / 7)


def _releases(tags: tuple[tuple[str, float], ...], since: float) -> tuple[str, list[tuple[str, float]]]:
    """The tags of the most frequent pattern since then that look like versions, oldest first.

    Pre-releases, and builds of a version once more ("+docs"), are none.
    Where there are none since then, the most frequent of all.
    """
    shapes: dict[str, list[tuple[str, float]]] = {}
    for name, at in tags:
        found = VERSION.match(name)
        if found is not None and not PRERELEASE.search(found["rest"]) and "+" not in found["rest"]:
            shapes.setdefault(f"{found['prefix']}{_shape(found['number'])}", []).append((name, at))
    if not shapes:
        return "", []
    pattern = max(sorted(shapes), key=lambda one: (sum(at >= since for _, at in shapes[one]), len(shapes[one])))
    return pattern, sorted(shapes[pattern], key=lambda one: (one[1], one[0]))


def _shape(number: str) -> str:
    return "DATE" if DAY_OF_RELEASE.fullmatch(number) else "N.N" if "." in number else "N"


def _frequency(recent: list[float], weeks: float, trust: Strength) -> Figure:
    value = len(recent) / weeks if len(recent) >= FEWEST_RELEASES else None
    return Figure(
        name="deployment frequency",
        value=value,
        unit="releases a week",
        proxy="a release tag is a deployment",
        strength=trust,
    )


def _lead_time(commits: list[Commit], releases: list[float], trust: Strength) -> Figure:
    waits = []
    for commit in commits:
        position = bisect_left(releases, commit.at)
        if position < len(releases):
            waits.append((releases[position] - commit.at) / DAY)
    value = median(waits) if len(waits) >= 20 and len(releases) >= FEWEST_RELEASES else None
    return Figure(
        name="lead time for changes",
        value=value,
        unit="days (median)",
        proxy="from commit to the next release tag",
        strength=trust,
    )


def _failures(commits: list[Commit]) -> Figure:
    repairs = sum(1 for one in commits if REPAIR.match(one.subject))
    value = 100 * repairs / len(commits) if len(commits) >= 50 else None
    return Figure(
        name="change failure rate",
        value=value,
        unit="% of commits",
        proxy='a commit whose subject begins with "revert" or "hotfix" repairs one that failed',
    )


def _recovery(commits: list[Commit], releases: list[float]) -> Figure:
    waits = []
    for commit in commits:
        if REPAIR.match(commit.subject):
            position = bisect_left(releases, commit.at)
            if position < len(releases):
                waits.append((releases[position] - commit.at) / DAY)
    value = median(waits) if len(waits) >= FEWEST_RELEASES else None
    return Figure(
        name="time to restore service",
        value=value,
        unit="days (median)",
        proxy="from a repairing commit to the next release tag",
    )


def _caveats(facts: Facts, recent: list[float], commits: list[Commit]) -> list[str]:
    told = []
    if not facts.tags:
        told.append("There are no tags, so nothing says when a release was made.")
    elif len(recent) < FEWEST_RELEASES:
        told.append("There are fewer than three release tags in the window; deployments may be made without tags.")
    numbered = sum(1 for one in commits if re.search(r"\(#\d+\)\s*$", one.subject))
    if commits and numbered > len(commits) / 2:
        told.append(
            "Most commits look like squash merges, which hide how long the work took: lead times are too short."
        )
    lines = Counter(found["number"].split(".")[0] for name, _ in facts.tags if (found := VERSION.match(name)))
    if len(lines) > 1 and lines.most_common(2)[-1][1] >= FEWEST_RELEASES:
        told.append("Several release lines are tagged; patches of old lines count as releases.")
    return told
