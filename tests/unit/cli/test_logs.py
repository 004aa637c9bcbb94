"""The log is to be read by people: that somebody is away is one sentence, and not one for each event."""

from __future__ import annotations

import logging

from ramet.cli.logs import MOST_ALIKE, WHILE_SECONDS, Floods, LineFormatter
from ramet.errors import StorageRefused


def record(message: str, *args: object, error: Exception | None = None, at: float = 0.0) -> logging.LogRecord:
    level = logging.ERROR if error is not None else logging.WARNING
    told = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord("ramet.events", level, "here", 1, message, args, told)
    made.created = at
    return made


def caught(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as raised:
        return raised


def test_that_somebody_is_away_is_told_in_one_line() -> None:
    line = LineFormatter().format(record("%s failed.", "It", error=caught(StorageRefused("It is read only."))))
    assert line.endswith("ramet.events: It failed: StorageRefused: It is read only.")


def test_what_nobody_could_expect_has_its_traceback() -> None:
    assert "Traceback" in LineFormatter().format(record("It failed", error=caught(ValueError("why"))))


def test_of_a_flood_the_first_are_shown_and_the_others_counted() -> None:
    floods = Floods()
    shown = [bool(floods.filter(record("%d waits", number))) for number in range(MOST_ALIKE + 7)]
    assert shown == [True] * MOST_ALIKE + [False] * 7
    assert floods.filter(record("another kind"))
    for number, at, more in ((99, WHILE_SECONDS, " (after 7 more of this kind)"), (100, 2 * WHILE_SECONDS, "")):
        assert floods.filter(later := record("%d waits", number, at=at))
        assert LineFormatter().format(later).endswith(f"{number} waits{more}")


def test_errors_that_nobody_could_expect_are_all_shown() -> None:
    floods = Floods()
    assert all(floods.filter(record("It failed", error=ValueError("why"))) for _ in range(3 * MOST_ALIKE))
    away = [bool(floods.filter(record("It failed", error=StorageRefused("no")))) for _ in range(3 * MOST_ALIKE)]
    assert sum(away) == MOST_ALIKE
