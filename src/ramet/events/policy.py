"""Pure: when a failed event is tried again, and when no more."""

from __future__ import annotations

import msgspec


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how fast a handler that fails is tried again.

    `attempts` in all, each of at most `timeout_seconds`; before the second `backoff_seconds` pass, then twice as long
    each time up to `longest_seconds`. A neighbour that is `Unavailable` is not the event's fault: that does not count
    as an attempt, for `patience_seconds`.
    """

    attempts: int = 8
    timeout_seconds: float = 30.0
    backoff_seconds: float = 0.1
    longest_seconds: float = 30.0
    patience_seconds: float = 86400.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after that many failures, before jitter.

        >>> [Retries().pause(failures) for failures in (1, 2, 3, 20)]
        [0.1, 0.2, 0.4, 30.0]
        """
        return min(self.longest_seconds, float(self.backoff_seconds * 2.0 ** min(failures - 1, 30)))


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong with one event so far: failed attempts that count, all of them, and since when."""

    counted: int = 0
    total: int = 0
    since: float = 0.0

    def another(self, *, counts: bool, at: float) -> Failures:
        """One more."""
        since = self.since if self.total else at
        return Failures(counted=self.counted + counts, total=self.total + 1, since=since)

    def exhaust(self, retries: Retries, *, at: float) -> bool:
        """Whether the event is to be given up."""
        return self.counted >= retries.attempts or at - self.since >= retries.patience_seconds
