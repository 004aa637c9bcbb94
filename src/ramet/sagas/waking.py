"""Waking up: one alarm for all that waits, and one for all that may take too long."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from ramet.clock import Alarm, Clock

LONGEST_NAP_SECONDS = 300.0


class Agenda:
    """What is to be woken when; the times are seconds since the epoch, so that they can be stored."""

    def __init__(self, clock: Clock, wake: Callable[[str], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heap: list[tuple[float, str]] = []
        self._alarm = Alarm(clock, self._ring)

    def add(self, at: float, name: str) -> None:
        """Wake `name` at `at`. It may be woken more often than that."""
        heapq.heappush(self._heap, (at, name))
        self._nap(at)

    def __contains__(self, name: object) -> bool:
        """Whether it is to be woken."""
        return any(one == name for _, one in self._heap)

    def _ring(self) -> None:
        now = self._clock.time()
        while self._heap and self._heap[0][0] <= now:
            self._wake(heapq.heappop(self._heap)[1])
        if self._heap:
            self._nap(self._heap[0][0])

    def _nap(self, until: float) -> None:
        """Not for long, for the machine's clock may be set; and not for nothing, for the two clocks may disagree."""
        left = until - self._clock.time()
        self._alarm.set(self._clock.monotonic() + min(max(0.001, left), LONGEST_NAP_SECONDS))

    def stop(self) -> None:
        """Wake nobody any more."""
        self._alarm.stop()
        self._heap.clear()


class Limit:
    """The time that what a task does now may take; `passed` tells whether it was stopped for that."""

    __slots__ = ("_limits", "deadline", "passed", "task")

    def __init__(self, limits: Limits, task: asyncio.Task[Any] | None) -> None:
        self._limits = limits
        self.task = task
        self.deadline = float("inf")
        self.passed = False

    def begin(self, deadline: float) -> None:
        """Cancel the task at `deadline`, seconds of the clock's `monotonic`."""
        self.passed = False
        self.deadline = deadline
        self._limits.watch(deadline)

    def end(self) -> None:
        """It has ended, in time or not; a cancellation of ours is taken back."""
        self.deadline = float("inf")
        if self.passed and self.task is not None:
            self.task.uncancel()

    @property
    def is_ending(self) -> bool:
        """Whether all work is being stopped."""
        return self._limits.is_stopped

    @property
    def stopped(self) -> bool:
        """Whether the cancellation that has just arrived was ours, and ours alone."""
        return self.passed and self.task is not None and self.task.cancelling() == 1


class Limits:
    """Stops what takes too long, by looking now and then instead of keeping a timer for each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: list[Limit] = []
        self.is_stopped = False
        self._alarm = Alarm(clock, self._look)

    def new(self) -> Limit:
        """A limit for what the current task does, one thing after the other."""
        limit = Limit(self, asyncio.current_task())
        self._all.append(limit)
        return limit

    def watch(self, deadline: float) -> None:
        """Look again at `deadline`."""
        self._alarm.set(deadline)

    def _look(self) -> None:
        now = self._clock.monotonic()
        for limit in self._all:
            if limit.deadline <= now and not limit.passed:
                limit.passed = True
                if limit.task is not None:
                    limit.task.cancel()
        first = min((limit.deadline for limit in self._all if not limit.passed), default=float("inf"))
        self._alarm.set(max(first, now + 0.005))

    def stop(self) -> None:
        """Stop nothing any more."""
        self.is_stopped = True
        self._alarm.stop()
        self._all.clear()
