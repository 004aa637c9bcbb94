"""Pure: the circuit breaker of one method at one endpoint (Nygard, "Release It!", 2007)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Closed lets everything through, open nothing, half open one trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaking:
    """When a breaker opens, and for how long.

    It opens when at least `failures` calls failed within `window_seconds`, and they are `share` of all in that time.
    After `open_seconds`, twice as long each time up to `longest_seconds`, one call is let through as a trial.
    """

    failures: int = 5
    share: float = 0.5
    window_seconds: float = 10.0
    open_seconds: float = 0.5
    longest_seconds: float = 10.0


class Breaker:
    """Made at the first failure, so that what works needs none; `is_idle` says when it may be forgotten."""

    __slots__ = ("_calls", "_failures", "_open_until", "_openings", "_policy", "_since", "state")

    def __init__(self, policy: Breaking, now: float) -> None:
        self._policy = policy
        self._since = now
        self._calls = self._failures = self._openings = 0
        self._open_until = 0.0
        self.state = State.CLOSED

    def allows(self, now: float) -> bool:
        """Whether a call would be let through at this moment."""
        return self.state is State.CLOSED or (self.state is State.OPEN and now >= self._open_until)

    def begin(self) -> None:
        """A call that was allowed begins; where the breaker is open, it is the trial."""
        if self.state is State.OPEN:
            self.state = State.HALF_OPEN

    def succeeded(self) -> bool:
        """A call was answered. True when that closed the breaker."""
        self._calls += 1
        if self.state is not State.HALF_OPEN:
            return False
        self.state = State.CLOSED
        self._calls = self._failures = self._openings = 0
        return True

    def abandoned(self, now: float) -> None:
        """A call ended without a verdict; where it was the trial, the next call is."""
        if self.state is State.HALF_OPEN:
            self.state = State.OPEN
            self._open_until = now

    def failed(self, now: float) -> bool:
        """A call failed. True when that opened the breaker."""
        if self.state is State.OPEN:
            return False
        if self.state is State.CLOSED:
            self._count(now)
            if self._failures < self._policy.failures or self._failures < self._policy.share * self._calls:
                return False
        self._open(now)
        return True

    def is_idle(self, now: float) -> bool:
        """Nothing has failed for a whole window."""
        return self.state is State.CLOSED and now - self._since > self._policy.window_seconds

    def _count(self, now: float) -> None:
        if now - self._since > self._policy.window_seconds:
            self._since, self._calls, self._failures = now, 0, 0
        self._calls += 1
        self._failures += 1

    def _open(self, now: float) -> None:
        seconds = min(self._policy.longest_seconds, self._policy.open_seconds * 2.0 ** min(self._openings, 30))
        self._openings += 1
        self._open_until = now + seconds
        self.state = State.OPEN
