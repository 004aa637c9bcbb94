"""Whatever the graph: a partition covers it, is the same every time, and measures stay within their limits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from ramet.advisor.boundaries import metrics
from ramet.advisor.boundaries.graph import Graph
from ramet.advisor.boundaries.partition import partition

LABELS = some.lists(some.tuples(some.integers(0, 4), some.integers(0, 4)), min_size=2, max_size=40)


@some.composite
def graphs(draw: some.DrawFn) -> Graph:
    """Up to a dozen modules with links of any weight."""
    count = draw(some.integers(0, 12))
    pairs = [(one, other) for one in range(count) for other in range(one + 1, count)]
    kept = draw(some.lists(some.sampled_from(pairs), unique=True)) if pairs else []
    weights = {pair: draw(some.floats(0.01, 10)) for pair in kept}
    return Graph(tuple(f"{number:02d}.py" for number in range(count)), {}, weights, weights)


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_every_module_is_in_one_part_and_chance_changes_nothing(graph: Graph) -> None:
    parts = partition(graph)
    assert sorted(path for group in parts.groups() for path in group) == sorted(graph.paths)
    assert partition(graph) == parts
    assert -1 <= parts.stability <= 1


@given(LABELS)
def test_agreement_does_not_depend_on_names_and_is_full_only_for_equals(labels: list[tuple[int, int]]) -> None:
    ours, theirs = [one for one, _ in labels], [other for _, other in labels]
    assert metrics.adjusted_rand(ours, ours) == 1
    assert metrics.mojo_fm(ours, [f"part {one}" for one in ours]) == 100
    assert metrics.adjusted_rand(ours, theirs) == metrics.adjusted_rand(theirs, ours)
    assert 0 <= metrics.mojo_fm(ours, theirs) <= 100
    same = len(set(ours)) == len(set(labels)) == len(set(theirs))
    assert (metrics.mojo_fm(ours, theirs) == 100) == same
