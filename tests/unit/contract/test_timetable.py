"""When schedules are due, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.timetable import Cron, Interval, due_between, next_after, timetable

ZURICH = ZoneInfo("Europe/Zurich")


def local(text: str, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH, fold=fold).timestamp()


def dues(text: str, after: float, count: int) -> list[str]:
    """The next due times in Zurich, as its clocks show them with their offset from UTC."""
    found, due = [], timetable(text, "Europe/Zurich")
    for _ in range(count):
        after = next_after(due, after)
        found.append(datetime.fromtimestamp(after, ZURICH).strftime("%m-%d %H:%M%z")[:-2])
    return found


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("10m", Interval(every_seconds=600)),
        ("1h30m", Interval(every_seconds=5400)),
        (2, Interval(every_seconds=2)),
        (timedelta(minutes=1), Interval(every_seconds=60)),
        ("0 3 * * *", Cron(text="0 3 * * *")),
        ("30 3 * * mon-fri", Cron(text="30 3 * * mon-fri")),
        ("*/10 * * * * *", Cron(text="*/10 * * * * *")),
    ],
)
def test_intervals_and_cron_text_are_understood(when: str | float | timedelta, expected: object) -> None:
    assert timetable(when) == expected


@pytest.mark.parametrize(
    ("when", "zone", "sentence"),
    [
        ("banana", "UTC", '"banana" is neither a duration such as "10m" nor cron text'),
        ("0", "UTC", "neither a duration"),
        ("-5s", "UTC", "neither a duration"),
        (0, "UTC", "neither a duration"),
        ("* * * *", "UTC", "neither a duration"),
        ("61 * * * *", "UTC", "Bad minute"),
        ("0 0 31 2 *", "UTC", "Bad day-of-month"),
        ("0 3 * * *", "Mars/Phobos", '"Mars/Phobos" is not a time zone'),
    ],
)
def test_what_cannot_be_understood_is_said(when: str | float, zone: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        timetable(when, zone)


def test_a_time_that_summer_time_skips_is_due_after_the_gap() -> None:
    assert dues("30 2 * * *", local("2026-03-28T00:00"), 3) == ["03-28 02:30+01", "03-29 03:00+02", "03-30 02:30+02"]


def test_a_time_that_winter_time_repeats_is_due_once() -> None:
    assert dues("30 2 * * *", local("2026-10-24T00:00"), 3) == ["10-24 02:30+02", "10-25 02:30+02", "10-26 02:30+01"]
    assert dues("30 2 * * *", local("2026-10-25T02:15", fold=1), 1) == ["10-26 02:30+01"]


def test_what_is_due_every_so_often_goes_on_through_both() -> None:
    assert dues("*/30 * * * *", local("2026-10-25T01:45"), 5) == [
        "10-25 02:00+02",
        "10-25 02:30+02",
        "10-25 02:00+01",
        "10-25 02:30+01",
        "10-25 03:00+01",
    ]
    assert dues("*/30 * * * *", local("2026-03-29T01:15"), 2) == ["03-29 01:30+01", "03-29 03:00+02"]


def test_due_times_are_counted_and_the_last_is_named() -> None:
    day = 86400.0
    assert due_between(Interval(every_seconds=10), 100, 135) == (3, 130)
    assert due_between(Interval(every_seconds=10), 100, 109) == (0, 100)
    assert due_between(Cron(text="0 0 * * *"), 0, 3 * day) == (3, 3 * day)
    assert due_between(Cron(text="0 0 * * *"), 1, day - 1) == (0, 1)


def test_nothing_is_due_between_a_moment_and_an_earlier_one() -> None:
    assert due_between(Interval(every_seconds=10), 100, 75) == (0, 100)
    assert due_between(Cron(text="* * * * *"), 600, 0) == (0, 600)


def test_after_a_long_time_the_count_ends_and_the_last_is_still_right() -> None:
    assert due_between(Cron(text="* * * * *"), 0, 86400.5) == (1000, 86400)
    assert due_between(Cron(text="30 2 * * *", zone="Europe/Zurich"), 0, local("2026-10-25T12:00")) == (
        1000,
        local("2026-10-25T02:30"),
    )


moments = st.integers(min_value=0, max_value=4_000_000_000).map(float)
texts = st.builds(
    "{} {} * * *".format,
    st.sampled_from(["*", "*/7", "0", "30", "15,45"]),
    st.sampled_from(["*", "*/5", "2", "3", "0-4"]),
)
zones = st.sampled_from(["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(texts, zones, moments)
def test_due_times_go_forward_and_are_found_from_any_moment_between(text: str, zone: str, moment: float) -> None:
    cron = Cron(text=text, zone=zone)
    first = next_after(cron, moment)
    second = next_after(cron, first)
    assert moment < first < second
    assert next_after(cron, (moment + first) / 2) == first
    assert due_between(cron, moment, first) == (1, first)
    assert due_between(cron, moment, (first + second) / 2) == (1, first)


def test_wildcards_match_the_wall_clock() -> None:
    due, moment = Cron(text="5 */6 * * *", zone="Asia/Kathmandu"), datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    for _ in range(10):
        moment = next_after(due, moment)
        shown = datetime.fromtimestamp(moment, ZoneInfo("Asia/Kathmandu"))
        assert (shown.minute, shown.hour % 6) == (5, 0)
