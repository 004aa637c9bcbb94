"""Pure: what happens to events, named once for metrics, spans and logs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How one attempt to handle an event ended."""

    HANDLED = "handled"
    KNOWN = "known"
    RETRIED = "retried"
    DEAD = "dead-lettered"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one consumer; `age_seconds` since the event was published, `error` what went wrong."""

    consumer: str
    event_id: str
    topic: str
    key: str | None
    outcome: Outcome
    attempts: int
    age_seconds: float
    error: str | None = None


Report = Callable[[Attempt], None]


def unreported(_: Attempt) -> None:
    """For whoever does not listen."""
