"""Pure: of what is alike, which is to be said: the first few in a while, and how many of the others were left out."""

from __future__ import annotations

from collections.abc import Hashable

SECONDS = 10.0
MOST_KINDS = 1000
"""How many are remembered: some are told apart by details, so that each is a kind of its own."""


class Throttle:
    """Lets `most` of a kind pass in ten seconds, and counts the others; moments are those of any one clock."""

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self._since: dict[Hashable, tuple[float, int]] = {}

    def left_out(self, now: float, kind: Hashable = "") -> int | None:
        """How many of a kind were left out before this one; None: this one is to be left out as well."""
        since, count = self._since.get(kind, (now, 0))
        if now - since < SECONDS:
            if kind not in self._since and len(self._since) >= MOST_KINDS:
                self._since.clear()
            self._since[kind] = since, count + 1
            return 0 if count < self._most else None
        self._since[kind] = now, 1
        return max(count - self._most, 0)
