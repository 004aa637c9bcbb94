"""Pure: when a schedule is due: intervals and cron text in time zones, right across summer and winter time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

from ramet.settings import seconds

MOST_COUNTED = 1000
_CRON_FIELDS = (5, 6)


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Every so many seconds, counted from the last time it was due."""

    every_seconds: float


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """Cron text (five fields, or six with seconds first) as the clocks of a time zone show it.

    As in Debian's cron, a time that the change to summer time skips is due right after the gap, and a time that the
    change to winter time repeats is due once; text with `*` in its minutes or hours simply goes on.
    """

    text: str
    zone: str = "UTC"


Timetable = Interval | Cron


def timetable(when: str | float | timedelta, zone: str = "UTC") -> Timetable:
    """What `@every` says, understood. Raises: ValueError with the forms there are."""
    _check_zone(zone)
    if isinstance(when, str) and len(when.split()) in _CRON_FIELDS:
        cron = Cron(text=when, zone=zone)
        next_after(cron, datetime(2030, 1, 1, tzinfo=UTC).timestamp())
        return cron
    try:
        every = seconds(when)
    except ValueError:
        every = 0.0
    if every <= 0:
        raise ValueError(
            f'"{when}" is neither a duration such as "10m" nor cron text such as "0 3 * * *" '
            "(minute, hour, day of the month, month, day of the week)"
        )
    return Interval(every_seconds=every)


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError(f'"{zone}" is not a time zone; write one such as "Europe/Zurich"') from None


def next_after(due: Timetable, moment: float) -> float:
    """The first time it is due after that moment, both in seconds since the epoch.

    Raises: ValueError where the cron text or the zone is wrong, or there is no such time.
    """
    if isinstance(due, Interval):
        return moment + due.every_seconds
    return next(_times(due, moment))


def due_between(due: Timetable, after: float, until: float) -> tuple[int, float]:
    """How often it was due after one moment and until another, and when last; (0, `after`) if never.

    Never, too, where `until` is the earlier one, as the clock of another machine may have it. Cron text is counted up
    to a thousand.
    """
    if until <= after:
        return 0, after
    if isinstance(due, Interval):
        count = int((until - after) / due.every_seconds + 1e-9)
        return count, after + count * due.every_seconds
    times = list(takewhile(lambda time: time <= until, islice(_times(due, after), MOST_COUNTED)))
    if len(times) == MOST_COUNTED:
        return MOST_COUNTED, max(times[-1], _last_until(due, until))
    return len(times), times[-1] if times else after


def _last_until(cron: Cron, moment: float) -> float:
    start = datetime.fromtimestamp(int(moment) + 1, ZoneInfo(cron.zone))
    return next(stamp for time in CronSim(cron.text, start, reverse=True) if (stamp := time.timestamp()) <= moment)


def _times(cron: Cron, moment: float) -> Iterator[float]:
    try:
        times = CronSim(cron.text, datetime.fromtimestamp(moment, ZoneInfo(cron.zone)))
    except (CronSimError, ZoneInfoNotFoundError, ValueError) as error:
        reason = "no such time zone" if isinstance(error, ZoneInfoNotFoundError) else error
        raise ValueError(f'"{cron.text}" in the time zone "{cron.zone}" cannot be understood: {reason}') from None
    last = moment
    for time in times:
        stamp = time.timestamp()
        if stamp > last:  # in the repeated hour of autumn the first candidate lies an hour back
            last = stamp
            yield stamp
    raise ValueError(f'"{cron.text}" is never due')
