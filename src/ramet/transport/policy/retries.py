"""Pure: how often a call is tried, and how much of the traffic may be second attempts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """How often one call is tried, and the budget that all calls of an upstream share.

    `attempts` in all; another replica is tried at once, the same one after `backoff_seconds`, twice as long each time.
    Each call earns `budget_share` of a further attempt, up to `budget_limit` that are saved (retry budgets of Finagle):
    a neighbour that fails everything sees little more than the traffic it would see without retries.
    """

    attempts: int = 4
    backoff_seconds: float = 0.02
    longest_seconds: float = 0.5
    budget_share: float = 0.2
    budget_limit: float = 1000.0

    def pause(self, failures: int) -> float:
        """Seconds before the same replica is tried again, before jitter.

        >>> [Retries().pause(failures) for failures in (1, 2, 9)]
        [0.02, 0.04, 0.5]
        """
        return min(self.longest_seconds, float(self.backoff_seconds * 2.0 ** min(failures - 1, 30)))


class Budget:
    """Saved attempts: calls earn them, further attempts spend them."""

    __slots__ = ("_limit", "_share", "saved")

    def __init__(self, share: float, limit: float) -> None:
        self._share = share
        self._limit = limit
        self.saved = limit

    def earn(self) -> None:
        """A call was made."""
        if self.saved < self._limit:
            self.saved = min(self._limit, self.saved + self._share)

    def spend(self) -> bool:
        """Whether a further attempt may be made; it is paid for if so."""
        if self.saved < 1.0:
            return False
        self.saved -= 1.0
        return True
