"""The requests in flight, and the one sweeper that cancels those whose time is up.

A timer for each request would halve the throughput; looking over all of them every 50 ms costs nothing that can be
measured, and makes a deadline late by 50 ms at most. While nothing is in flight the sweeper sleeps.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ramet.clock import Clock
from ramet.tasks import Spawn, first_of

SWEEP_SECONDS = 0.05


class Flight:
    """One request: its task, until when it may run (the clock's `monotonic`), and whether it was cancelled for time."""

    __slots__ = ("deadline", "overdue", "reading", "task")

    def __init__(self, task: asyncio.Task[Any] | None, deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.overdue = False
        self.reading = False


class InFlight:
    """Counts, sweeps, and waits until all is done."""

    def __init__(self, clock: Clock, spawn: Spawn) -> None:
        self._clock = clock
        self._spawn = spawn
        self._flights: set[Flight] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeper: asyncio.Task[Any] | None = None
        self._wake: asyncio.Future[None] | None = None
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
        if self._wake is not None:
            self._wake.set_result(None)
            self._wake = None
        elif self._sweeper is None:
            self._sweeper = self._spawn(self._sweep())
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

    async def stop(self) -> None:
        """End the sweeper."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait({self._sweeper})
            self._sweeper = None

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._flights:
                self._wake = loop.create_future()
                await self._wake
            await self._clock.sleep(SWEEP_SECONDS)
            now = self._clock.monotonic()
            for flight in [flight for flight in self._flights if flight.deadline <= now]:
                self._cancel(flight)

    def _cancel(self, flight: Flight) -> None:
        if flight.task is not None and not flight.overdue:
            flight.overdue = True
            flight.task.cancel()
