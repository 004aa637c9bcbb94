"""What happens again and again is said now and then."""

from __future__ import annotations

from ramet.telemetry.throttle import MOST_KINDS, Throttle


def test_what_is_alike_is_said_once_in_a_while_and_counted_meanwhile() -> None:
    throttle = Throttle()
    assert [throttle.left_out(0.0, kind) for kind in ("a", "a", "b", "a")] == [0, None, 0, None]
    assert [throttle.left_out(10.0, kind) for kind in ("a", "a", "b")] == [2, None, 0]


def test_some_that_are_alike_may_be_said() -> None:
    throttle = Throttle(2)
    assert [throttle.left_out(0.0) for _ in range(5)] == [0, 0, None, None, None]
    assert [throttle.left_out(10.0) for _ in range(3)] == [3, 0, None]


def test_what_was_said_of_very_many_kinds_is_forgotten() -> None:
    throttle = Throttle()
    assert [throttle.left_out(0.0, kind % MOST_KINDS) for kind in range(MOST_KINDS + 1)] == [0] * MOST_KINDS + [None]
    assert [throttle.left_out(0.0, kind) for kind in (MOST_KINDS, 0)] == [0, 0]
