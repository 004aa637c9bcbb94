"""Pure: which of the replicas is called: the better of two by chance, the near before the far."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, nextafter


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """How a replica's load is measured, and how much the same zone is preferred.

    Latency is remembered for about `memory_seconds`. A replica in another zone is chosen only where its load is below
    `distance` times less than that of the near one.
    """

    memory_seconds: float = 5.0
    distance: float = 4.0


UNKNOWN_SECONDS = 0.001
"""What a replica that has not answered yet is taken to need, so that it is tried, and not flooded."""

JUST_NOW_SECONDS = 0.05
"""For so long nothing fades that would be worth an exponential for each call."""


class Load:
    """The latency of one replica: its peaks count at once, and fade, also while it is not asked (peak EWMA, as in
    Finagle): else one that was slow once would never be asked again.
    """

    __slots__ = ("_memory", "_seen", "latency_seconds")

    def __init__(self, memory_seconds: float) -> None:
        self._memory = memory_seconds
        self._seen = 0.0
        self.latency_seconds = 0.0

    def expected_seconds(self, now: float) -> float:
        """What the next answer is taken to need; what is long ago says no more than that it is not known."""
        latency, ago = self.latency_seconds or UNKNOWN_SECONDS, now - self._seen
        if latency <= UNKNOWN_SECONDS or ago <= JUST_NOW_SECONDS:
            return latency
        return max(UNKNOWN_SECONDS, latency * exp(-ago / self._memory))

    def observe(self, seconds: float, now: float) -> None:
        """An answer took so long."""
        latency = self.latency_seconds
        if seconds >= latency:
            self.latency_seconds = seconds
        else:
            self.latency_seconds = seconds + (latency - seconds) * exp((self._seen - now) / self._memory)
        self._seen = now


class Shares:
    """Draws members by their weights; `is_even` where all weigh the same."""

    __slots__ = ("_below", "_bounds", "_count", "_others_below", "_total", "is_even")

    def __init__(self, weights: Sequence[float]) -> None:
        self._count = len(weights)
        self._below = nextafter(self._count, 0.0)  # so that no rounding gives a member that is not there
        self._others_below = nextafter(self._count - 1, 0.0)
        self._total = sum(weights)
        self._bounds = tuple(accumulate(weights)) if len(set(weights)) > 1 else ()
        self.is_even = not self._bounds

    def draw_two(self, chance: float) -> tuple[int, int]:
        """The numbers of two different members (Mitzenmacher, "The Power of Two Choices", 2001).

        `chance` is in [0, 1), and enough for both: among equals, where in the first one it falls draws the other; else
        its bits after the first twenty do.
        """
        if not self._bounds:
            place = chance * self._below
            first = int(place)
            second = int((place - first) * self._others_below)
            return first, second + (second >= first)
        first, second = self._draw(chance), self._draw(chance * 2**20 % 1)
        return first, second if second != first else (first + 1) % self._count

    def _draw(self, chance: float) -> int:
        return min(bisect_right(self._bounds, chance * self._total), self._count - 1)
