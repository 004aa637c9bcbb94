"""Pure: the layer of a graph that dependencies make: imports, string references and calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log

from ramet.advisor.facts import Edge, Kind

WORTH = {Kind.IMPORT: 1.0, Kind.LAZY: 1.0, Kind.STRING: 1.0, Kind.TYPING: 0.5, Kind.CALL: 0.0}
"""What a dependency of each kind counts; calls come on top of the import that they go through."""
CALLS = 0.5


def links(edges: Iterable[Edge], numbers: Mapping[str, int]) -> dict[tuple[int, int], float]:
    """Each pair of which one depends on the other: the strongest kind plus the calls, by the busier end's degree."""
    found: dict[tuple[int, int], float] = {}
    called: Counter[tuple[int, int]] = Counter()
    for edge in edges:
        one, other = numbers.get(edge.source), numbers.get(edge.target)
        if one is None or other is None or one == other:
            continue
        pair = (one, other) if one < other else (other, one)
        found[pair] = max(found.get(pair, 0.0), WORTH[edge.kind])
        if edge.kind is Kind.CALL:
            called[pair] += edge.count
    for pair, count in called.items():
        found[pair] = max(found[pair], 0.5) + CALLS * log(1 + count)
    degree: Counter[int] = Counter()
    for one, other in found:
        degree[one] += 1
        degree[other] += 1
    return {pair: worth / max(degree[pair[0]], degree[pair[1]]) for pair, worth in sorted(found.items())}
