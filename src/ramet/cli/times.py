"""Pure: moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: float | datetime | None) -> str | None:
    """A moment, or seconds since the epoch, in UTC: "2026-03-01 12:30:05Z"."""
    if at is None:
        return None
    shown = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return f"{shown:%Y-%m-%d %H:%M:%SZ}"
