"""The requests in flight, and the one alarm that cancels those whose time is up.

A timer for each request would halve the throughput; of most, the alarm sees nothing.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any

from ramet.clock import Alarm, Clock
from ramet.tasks import Spawn, first_of


class Flight:
    """One request: its task, until when it may run (the clock's `monotonic`), and whether it was cancelled for time."""

    __slots__ = ("deadline", "overdue", "reading", "task")

    def __init__(self, task: asyncio.Task[Any] | None, deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.overdue = False
        self.reading = False


class InFlight:
    """Counts, keeps deadlines, and waits until all is done."""

    def __init__(self, clock: Clock, spawn: Spawn) -> None:
        self._clock = clock
        self._spawn = spawn
        self._flights: set[Flight] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alarm = Alarm(clock, self._look)
        self._idle: asyncio.Future[None] | None = None
        self.closing = asyncio.Event()

    def __len__(self) -> int:
        return len(self._flights)

    def enter(self, deadline: float) -> Flight:
        """A request has begun, in the current task."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        flight = Flight(asyncio.current_task(self._loop), deadline)
        self._flights.add(flight)
        if deadline < self._alarm.at:
            self._alarm.set(deadline)
        return flight

    def leave(self, flight: Flight) -> None:
        """A request has ended."""
        self._flights.discard(flight)
        if self._idle is not None and not self._flights:
            self._idle.set_result(None)
            self._idle = None

    async def drain(self, grace_seconds: float) -> bool:
        """Ask streams to end, wait for everything in flight, cancel what is left then. True when nothing was.

        Who is let in afterwards, on a connection that is about to be closed, is answered as well.
        """
        self.closing.set()
        if not self._flights:
            return True
        self._idle = idle = asyncio.get_running_loop().create_future()
        await first_of((idle,), self._clock.sleep(grace_seconds), self._spawn)
        self._idle = None
        if idle.done():
            return True
        for flight in tuple(self._flights):
            self._cancel(flight)
        return False

    def stop(self) -> None:
        """Keep no deadlines any more."""
        self._alarm.stop()

    def watch(self, deadline: float) -> None:
        """A request has less time than it had."""
        self._alarm.set(deadline)

    def _look(self) -> None:
        now = self._clock.monotonic()
        for flight in self._flights:
            if flight.deadline <= now:
                self._cancel(flight)
        self._alarm.set(min((flight.deadline for flight in self._flights if not flight.overdue), default=inf))

    def _cancel(self, flight: Flight) -> None:
        if flight.task is not None and not flight.overdue:
            flight.overdue = True
            flight.task.cancel()
