"""Circles are found however they lie."""

from __future__ import annotations

from ramet.advisor.circles import circles


def test_circles_are_found_beside_and_behind_each_other() -> None:
    graph = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": ["d"], "f": ["a"], "g": ["g"]}
    assert circles(graph) == [("a", "b", "c"), ("d", "e")]


def test_a_long_chain_is_no_circle_and_needs_no_stack() -> None:
    assert circles({str(n): [str(n + 1)] for n in range(5000)}) == []
    assert len(circles({str(n): [str((n + 1) % 5000)] for n in range(5000)})[0]) == 5000
