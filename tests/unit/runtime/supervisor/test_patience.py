"""When a replica is started again, and when no more."""

from __future__ import annotations

from ramet.runtime.supervisor.patience import AWAY, BAD_INPUT, REFUSED, Patience, ending


def test_pauses_double_up_to_the_longest_and_then_there_are_no_more() -> None:
    patience = Patience(first_pause=0.5, longest_pause=3.0, attempts=6)
    assert [patience.pause(failures, 1) for failures in range(1, 8)] == [0.5, 1.0, 2.0, 3.0, 3.0, None, None]


def test_what_is_wrong_with_its_input_is_not_tried_again() -> None:
    assert Patience().pause(1, BAD_INPUT) is None


def test_what_was_refused_is_given_up_sooner_and_who_waits_for_others_never() -> None:
    patience = Patience(first_pause=0.5, longest_pause=3.0, attempts=6, refusals=2)
    assert [patience.pause(failures, REFUSED) for failures in (1, 2)] == [0.5, None]
    assert [patience.pause(failures, AWAY, away=failures) for failures in (1, 6, 10_000)] == [0.5, 3.0, 3.0]
    assert [patience.pause(9, code, away=8) for code in (1, REFUSED)] == [3.0, 3.0]
    assert [patience.pause(10, code, away=8) for code in (1, REFUSED)] == [3.0, None]


def test_an_end_is_told_as_people_read_it() -> None:
    assert [ending(code) for code in (0, 3, -9, None)] == [
        "ended with code 0",
        "ended with code 3",
        "was ended by SIGKILL",
        "could not be started",
    ]
