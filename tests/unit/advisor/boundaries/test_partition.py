"""The parts that many runs agree on."""

from __future__ import annotations

import pytest

from ramet.advisor.boundaries import partition as module
from ramet.advisor.boundaries.graph import Graph, build
from ramet.advisor.boundaries.partition import partition
from ramet.errors import MissingExtra
from tests.unit.advisor.small_shop import shop


def cliques(count: int, size: int) -> Graph:
    """Cliques in a ring, each linked weakly to the next."""
    weights = {}
    for clique in range(count):
        first = clique * size
        weights |= {(a, b): 1.0 for a in range(first, first + size) for b in range(a + 1, first + size)}
        there = (clique + 1) % count * size
        weights[min(first, there), max(first, there)] = 0.1
    return Graph(tuple(f"{number:03d}.py" for number in range(count * size)), {}, weights, weights)


def test_cliques_are_parts() -> None:
    parts = partition(cliques(4, 6))
    assert [len(group) for group in parts.groups()] == [6, 6, 6, 6]
    assert parts.stability == 1


def test_the_applications_of_a_shop_are_found_without_their_names() -> None:
    assert {frozenset(path.split("/")[1] for path in group) for group in partition(build(shop())).groups()} == {
        frozenset({"orders"}),
        frozenset({"stock"}),
        frozenset({"pages"}),
    }


def test_the_same_graph_gives_the_same_parts_whatever_ran_before() -> None:
    graph = build(shop())
    first = partition(graph)
    partition(cliques(7, 3))
    assert partition(graph) == first


def test_parts_are_numbered_by_size() -> None:
    sizes = [len(group) for group in partition(build(shop())).groups()]
    assert sizes == sorted(sizes, reverse=True)


def test_nothing_and_a_single_module_are_parts_too() -> None:
    assert partition(Graph((), {}, {}, {})).of == {}
    assert partition(Graph(("a.py",), {}, {}, {})).of == {"a.py": 0}


def test_modules_without_any_link_are_parts_of_their_own() -> None:
    assert len(partition(Graph(("a.py", "b.py"), {}, {}, {})).groups()) == 2


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "igraph", None)
    with pytest.raises(MissingExtra, match=r"ramet\[advisor\]"):
        partition(cliques(2, 3))
