"""Pure: what `every(…)` may say."""

from __future__ import annotations

import zoneinfo

from ramet.settings import seconds


def parse_when(when: object, zone: str) -> None:
    """Raises: ValueError with the sentence that says what does not fit."""
    if zone not in zoneinfo.available_timezones():
        raise ValueError(f'"{zone}" is not a time zone; write one such as "Europe/Zurich"')
    if not (isinstance(when, str) and len(when.split()) == 5):
        seconds(when)  # type: ignore[arg-type]  # anything else is refused there
