"""In which order groups end, and whether replicas are forked."""

from __future__ import annotations

import pytest

from ramet.model.topology import Deployment
from ramet.runtime.planning import Placed
from ramet.runtime.supervisor.supervisor import waves, zygote_of


def group(name: str, *called_by: str) -> Placed:
    return Placed(name=name, services=(name,), replicas=1, called_by=called_by)


def test_callers_end_before_those_they_call() -> None:
    groups = [group("stock", "orders", "edge"), group("orders", "edge"), group("edge"), group("mail")]
    assert waves(groups) == [["edge", "mail"], ["orders"], ["stock"]]


def test_a_circle_ends_at_once() -> None:
    assert waves([group("edge"), group("a", "b", "edge"), group("b", "a")]) == [["edge"], ["a", "b"]]


def test_a_group_that_calls_itself_is_no_obstacle() -> None:
    assert waves([group("a", "a")]) == [["a"]]


def test_replicas_are_forked_on_linux_unless_the_deployment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert zygote_of(Deployment(name="split"))[-2:] == ("zygote", "split")
    assert zygote_of(Deployment(name="split", preload=False)) == ()
    monkeypatch.setattr("sys.platform", "darwin")
    assert zygote_of(Deployment(name="split")) == ()
