"""Pure: the layer of a graph that dependencies make: imports, string references and calls."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from math import log, sqrt

from ramet.advisor.facts import Edge, Kind

WORTH = {Kind.IMPORT: 1.0, Kind.LAZY: 1.0, Kind.STRING: 1.0, Kind.TYPING: 0.5, Kind.CALL: 0.0}
"""What a dependency of each kind counts; calls come on top of the import that they go through."""
CALLS = 0.5


def links(edges: Iterable[Edge], numbers: Mapping[str, int]) -> dict[tuple[int, int], float]:
    """Each pair of which one depends on the other: how much, by how rare that is for both.

    A dependency counts its strongest kind plus the calls, divided by √(modules the source depends on x modules that
    depend on the target), and both directions are added: what everybody imports says little of who imports it, and what
    imports everything says little of what it imports, but a hub may still belong to the few that it uses itself.
    """
    found = _directed(edges, numbers)
    needs, needed = Counter(one for one, _ in found), Counter(other for _, other in found)
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    for (one, other), worth in sorted(found.items()):
        weights[min(one, other), max(one, other)] += worth / sqrt(needs[one] * needed[other])
    return dict(sorted(weights.items()))


def _directed(edges: Iterable[Edge], numbers: Mapping[str, int]) -> dict[tuple[int, int], float]:
    """What each dependency counts, by source and target."""
    found: dict[tuple[int, int], float] = {}
    called: Counter[tuple[int, int]] = Counter()
    for edge in edges:
        one, other = numbers.get(edge.source), numbers.get(edge.target)
        if one is None or other is None or one == other:
            continue
        found[one, other] = max(found.get((one, other), 0.0), WORTH[edge.kind])
        if edge.kind is Kind.CALL:
            called[one, other] += edge.count
    for pair, count in called.items():
        found[pair] = max(found[pair], 0.5) + CALLS * log(1 + count)
    return found
