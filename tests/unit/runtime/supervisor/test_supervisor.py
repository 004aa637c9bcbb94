"""In which order groups end."""

from __future__ import annotations

from ramet.runtime.planning import Placed
from ramet.runtime.supervisor.supervisor import waves


def group(name: str, *called_by: str) -> Placed:
    return Placed(name=name, services=(name,), replicas=1, called_by=called_by)


def test_callers_end_before_those_they_call() -> None:
    groups = [group("stock", "orders", "edge"), group("orders", "edge"), group("edge"), group("mail")]
    assert waves(groups) == [["edge", "mail"], ["orders"], ["stock"]]


def test_a_circle_ends_at_once() -> None:
    assert waves([group("edge"), group("a", "b", "edge"), group("b", "a")]) == [["edge"], ["a", "b"]]


def test_a_group_that_calls_itself_is_no_obstacle() -> None:
    assert waves([group("a", "a")]) == [["a"]]
