"""Parts of a code base: what many runs of Leiden at several resolutions agree on.

Leiden (Traag, Waltman and van Eck, 2019) finds parts of a graph that hold together, and depends on chance and on a
resolution. Links that the runs tear apart are weakened accordingly, and one last run decides (consensus clustering,
Lancichinetti and Fortunato, 2012). The outcome is settled by all links, also those too weak for the runs. Chance comes
from a fixed seed: equal graphs give equal parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import msgspec

from ramet.advisor.boundaries.graph import Graph, Layer
from ramet.advisor.boundaries.metrics import adjusted_rand
from ramet.advisor.boundaries.settling import settled
from ramet.errors import MissingExtra

try:
    import igraph
except ImportError:  # the extra `advisor`: said when parts are asked for
    igraph = None

TORN = 0.3
"""Links that fewer of the runs keep together are dropped."""
FEWEST_COMPARED = 4


class Resolutions(msgspec.Struct, frozen=True, kw_only=True):
    """How fine the parts are: `tried` by `seeds` runs each, and what the last run uses."""

    tried: tuple[float, ...] = (1.0, 2.0, 4.0)
    seeds: int = 4
    last: float = 1.0


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The part of each module (numbers from 0, the largest part first), and how far chance decided.

    `stability` is the mean adjusted Rand index between runs that differ only in their seed: 1 means that chance decided
    nothing. `finer` are the parts of single runs at each resolution, candidates of their own.
    """

    of: dict[str, int]
    stability: float
    finer: tuple[dict[str, int], ...] = ()

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The modules of each part, sorted."""
        return groups(self.of)


def groups(of: dict[str, int]) -> tuple[tuple[str, ...], ...]:
    """The members of each part of a partition, sorted, in the order of the parts' numbers."""
    found: dict[int, list[str]] = {}
    for path, part in of.items():
        found.setdefault(part, []).append(path)
    return tuple(tuple(sorted(found[part])) for part in sorted(found))


def partition(graph: Graph, resolutions: Resolutions | None = None) -> Parts:
    """The parts of a graph.

    Raises: MissingExtra, if igraph is not installed.
    """
    asked = resolutions or Resolutions()
    if len(graph.paths) < 2:
        return Parts(of=dict.fromkeys(graph.paths, 0), stability=1.0)
    first = _Leiden(graph.weights, len(graph.paths))
    runs = {value: [first.run(value, seed) for seed in range(asked.seeds)] for value in asked.tried}
    agreed = _agreed(graph.weights, [run for found in runs.values() for run in found])
    last = _Leiden(agreed, len(graph.paths)).run(asked.last, seed=0)
    return Parts(
        of=_named(graph.paths, settled(graph.paths, graph.together, last)),
        stability=_stability(list(runs.values())),
        finer=tuple(_named(graph.paths, found[0]) for found in runs.values()),
    )


class _Leiden:
    """Runs on one graph."""

    def __init__(self, weights: Layer, modules: int) -> None:
        if igraph is None:
            raise MissingExtra("igraph", "advisor", "Finding the parts of a code base")
        pairs = sorted(weights)
        self._graph: Any = igraph.Graph(n=modules, edges=pairs)
        self._weights = [weights[pair] for pair in pairs]

    def run(self, resolution: float, seed: int) -> list[int]:
        """One run: the part of each module."""
        assert igraph is not None, "without it there is no such object"
        igraph.set_random_number_generator(_Chance(seed))
        try:
            found = self._graph.community_leiden(
                objective_function="modularity", weights=self._weights, resolution=resolution, n_iterations=3
            )
        finally:
            igraph.set_random_number_generator(None)
        return list(found.membership)


class _Chance:
    """Chance that is the same in every run: Knuth's linear congruential generator (MMIX)."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2654435761 + 88172645463325252

    def random(self) -> float:
        """A number in [0, 1)."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        return (self._state >> 11) / (1 << 53)

    def randint(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def gauss(self, mean: float, deviation: float) -> float:
        """Roughly normal: the sum of twelve numbers; Leiden does not ask for it."""
        return mean + deviation * (sum(self.random() for _ in range(12)) - 6)


def _agreed(weights: Layer, runs: Sequence[Sequence[int]]) -> Layer:
    agreed = {}
    for (one, other), weight in weights.items():
        share = sum(run[one] == run[other] for run in runs) / len(runs)
        if share >= TORN:
            agreed[one, other] = weight * share
    return agreed


def _stability(runs: Sequence[Sequence[Sequence[int]]]) -> float:
    """Over pairs of runs at the same resolution."""
    found = [adjusted_rand(one, other) for alike in runs for one, other in combinations(alike[:FEWEST_COMPARED], 2)]
    return sum(found) / len(found) if found else 1.0


def _named(paths: Sequence[str], run: Sequence[int]) -> dict[str, int]:
    """Numbered by size, then by the first path."""
    members: dict[int, list[str]] = {}
    for path, part in zip(paths, run, strict=True):
        members.setdefault(part, []).append(path)
    ordered = sorted(members.values(), key=lambda found: (-len(found), min(found)))
    of = {path: number for number, found in enumerate(ordered) for path in found}
    return {path: of[path] for path in paths}
