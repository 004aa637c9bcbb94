"""Pure: how many calls are answered at a time, how many wait for that, and which of them no longer make sense."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulkhead:
    """Bounds of what a process answers at a time.

    At most `concurrency` calls are answered, and `queue` wait. As long as the queue was empty within the last
    `interval_seconds`, a call may wait that long; else the process is overloaded: then a call waits `target_seconds` at
    most, and the newest is next, since its caller is the likeliest to be there still (controlled delay and adaptive
    LIFO: Maurer, "Fail at Scale", 2015; Nichols, Jacobson, "Controlling Queue Delay", 2012). Nobody waits whose
    deadline is nearer than an answer usually takes.
    """

    concurrency: int = 256
    queue: int = 1024
    interval_seconds: float = 0.1
    target_seconds: float = 0.005


class Waiting(NamedTuple, Generic[T]):
    """Somebody in the queue: since when, and until when its answer is wanted (monotonic seconds)."""

    since: float
    deadline: float
    who: T


class Gate(Generic[T]):
    """Counts who is inside and lines up who is not; `T` is whatever the owner wakes the waiting by."""

    def __init__(self, policy: Bulkhead) -> None:
        self._policy = policy
        self._was_empty = 0.0
        self.queue: deque[Waiting[T]] = deque()
        self.concurrency = policy.concurrency
        self.running = 0
        self.usual_seconds = 0.0

    @property
    def is_full(self) -> bool:
        """Whether a call would have to wait."""
        return bool(self.queue) or self.running >= self.concurrency

    def enter(self) -> None:
        """A call takes a place, which there is."""
        self.running += 1

    def line_up(self, now: float, deadline: float, who: T) -> bool:
        """Wait in the queue. False where that would be in vain."""
        if len(self.queue) >= self._policy.queue or now + self.usual_seconds > deadline:
            return False
        if not self.queue:
            self._was_empty = now
        self.queue.append(Waiting(now, deadline, who))
        return True

    def expired(self, now: float) -> list[T]:
        """Those that have waited too long, taken out of the queue: they are to be refused."""
        queue, found = self.queue, []
        longest = self._policy.target_seconds if self.is_overloaded(now) else self._policy.interval_seconds
        while queue and now - queue[0].since > longest:
            found.append(queue.popleft().who)
        return found

    def pass_on(self, now: float, seconds: float | None) -> tuple[T | None, list[T]]:
        """A call has ended, after so long if it was timed: who is next and inside now, and who is to be refused."""
        self.running -= 1
        if seconds is not None:
            self.usual_seconds += (seconds - self.usual_seconds) * 0.05
        queue = self.queue
        refused = self.expired(now)
        overloaded = self.is_overloaded(now)
        while queue:
            one = queue.pop() if overloaded else queue.popleft()
            if now + self.usual_seconds <= one.deadline:
                self.running += 1
                return one.who, refused
            refused.append(one.who)
        return None, refused

    def forget(self, who: T) -> None:
        """Somebody waits no more."""
        self.queue = deque(one for one in self.queue if one.who is not who)

    def is_overloaded(self, now: float) -> bool:
        """The queue has not been empty for a whole interval."""
        return bool(self.queue) and now - self._was_empty > self._policy.interval_seconds
