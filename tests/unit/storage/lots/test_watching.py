"""What is seen of work that may be in a lot."""

from __future__ import annotations

from ramet.storage.lots.watching import Way


def test_however_often_it_waits_for_something_else_the_time_for_that_begins_once() -> None:
    told: list[bool] = []
    way = Way()
    way.on_solitary = lambda: told.append(way.solitary)
    way.note_solitary()
    way.note_solitary()
    assert told == [True]
