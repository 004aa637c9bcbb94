"""Pure: the layers of a graph that history makes: what was changed together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from math import sqrt

from ramet.advisor.facts import Commit


def changes(commits: Iterable[Commit], numbers: Mapping[str, int]) -> dict[tuple[int, int], float]:
    """Commits of both modules divided by the geometric mean of the commits of each: 1 if they never change alone."""
    return _together(commits, numbers, lambda _files: 1.0, least=0.0)


def small_changes(commits: Iterable[Commit], numbers: Mapping[str, int]) -> dict[tuple[int, int], float]:
    """The same with each commit shared out among its pairs, so that a commit of two files says most.

    Pairs that have less than one whole commit in common are left out.
    """
    return _together(commits, numbers, lambda files: 1.0 / (files - 1), least=0.999)


def touched(commits: Iterable[Commit], numbers: Mapping[str, int]) -> Iterator[tuple[Commit, list[int]]]:
    """The commits that say something, with the numbers of the modules they changed, ascending."""
    for commit in commits:
        if not commit.merge and not commit.is_large:
            found = sorted({numbers[path] for path in commit.files if path in numbers})
            if found:
                yield commit, found


def _together(
    commits: Iterable[Commit], numbers: Mapping[str, int], worth: Callable[[int], float], *, least: float
) -> dict[tuple[int, int], float]:
    alone: defaultdict[int, float] = defaultdict(float)
    common: defaultdict[tuple[int, int], float] = defaultdict(float)
    for _, found in touched(commits, numbers):
        for number in found:
            alone[number] += 1
        if len(found) > 1:
            share = worth(len(found))
            for pair in combinations(found, 2):
                common[pair] += share
    return {
        (one, other): weight / sqrt(alone[one] * alone[other])
        for (one, other), weight in sorted(common.items())
        if weight >= least
    }
