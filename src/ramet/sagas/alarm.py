"""Waking up: one timer for all that waits, and one for all that may take too long."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from ramet.clock import Clock

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Alarm:
    """Calls `ring` at the earliest moment it was set to; it is then set no more."""

    def __init__(self, clock: Clock, spawn: Spawn, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._spawn = spawn
        self._ring = ring
        self._at = float("inf")
        self._task: asyncio.Task[None] | None = None

    def set(self, at: float) -> None:
        """Ring at `at`, seconds of the clock's `monotonic`, or earlier if it was set so before."""
        if at >= self._at:
            return
        self.stop()
        self._at = at
        self._task = self._spawn(self._wait(at - self._clock.monotonic()))

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._at, self._task = float("inf"), None
        self._ring()

    def stop(self) -> None:
        """Do not ring."""
        if self._task is not None:
            self._task.cancel()
        self._at, self._task = float("inf"), None


class Agenda:
    """What is to be woken when; the times are seconds since the epoch, so that they can be stored."""

    def __init__(self, clock: Clock, spawn: Spawn, wake: Callable[[str], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heap: list[tuple[float, str]] = []
        self._alarm = Alarm(clock, spawn, self._ring)

    def add(self, at: float, name: str) -> None:
        """Wake `name` at `at`. It may be woken more often than that."""
        heapq.heappush(self._heap, (at, name))
        self._alarm.set(self._clock.monotonic() + at - self._clock.time())

    def _ring(self) -> None:
        now = self._clock.time()
        while self._heap and self._heap[0][0] <= now:
            self._wake(heapq.heappop(self._heap)[1])
        if self._heap:  # never at once: where the two clocks disagree by a hair, this would not come to rest
            self._alarm.set(self._clock.monotonic() + max(0.001, self._heap[0][0] - now))

    def stop(self) -> None:
        """Wake nobody any more."""
        self._alarm.stop()
        self._heap.clear()


class Limit:
    """The time one attempt may take; `passed` tells whether it was stopped for that."""

    __slots__ = ("deadline", "passed", "task")

    def __init__(self, task: asyncio.Task[Any] | None, deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.passed = False


class Limits:
    """Stops what takes too long, by looking now and then instead of keeping a timer for each."""

    def __init__(self, clock: Clock, spawn: Spawn) -> None:
        self._clock = clock
        self._open: dict[Limit, None] = {}
        self._alarm = Alarm(clock, spawn, self._look)

    @contextmanager
    def within(self, seconds: float) -> Iterator[Limit]:
        """Cancel the task that is inside after that many seconds; the cancellation arrives as TimeoutError."""
        limit = Limit(asyncio.current_task(), self._clock.monotonic() + seconds)
        self._open[limit] = None
        self._alarm.set(limit.deadline)
        try:
            yield limit
        except asyncio.CancelledError:
            if limit.passed and limit.task is not None and limit.task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            del self._open[limit]

    def _look(self) -> None:
        now = self._clock.monotonic()
        for limit in [limit for limit in self._open if limit.deadline <= now and not limit.passed]:
            limit.passed = True
            if limit.task is not None:
                limit.task.cancel()
        pending = [limit.deadline for limit in self._open if not limit.passed]
        if pending:
            self._alarm.set(max(min(pending), now + 0.005))

    def stop(self) -> None:
        """Stop nothing any more."""
        self._alarm.stop()
