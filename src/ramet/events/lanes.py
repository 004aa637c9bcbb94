"""Lanes: a consumer's queue, in which the messages of one key wait for each other and for nobody else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ramet.clock import Clock
from ramet.events.base import Deliver, Delivery, Done, Sink

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
REDELIVERY_SECONDS = 1.0


class _Lane(deque[tuple[Delivery, Done]]):
    """What waits for one key; `key` None for a message that has none."""

    __slots__ = ("key",)

    def __init__(self, key: str | None) -> None:
        super().__init__()
        self.key = key


class Lanes(Sink):
    """Runs `deliver` for each message: in order for each key, at most `concurrency` at a time, fair between keys.

    A message whose attempt failed keeps its key waiting until it is done, and occupies no worker meanwhile. `capacity`
    is how many messages may be here, waiting or running. An attempt that raises is a defect of the consumer: it is
    repeated after a second, because nothing may be lost, and reported to `failed`.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        spawn: Spawn,
        clock: Clock,
        concurrency: int = 100,
        capacity: int = 1000,
        failed: Callable[[Delivery, Exception], None] | None = None,
    ) -> None:
        self._deliver = deliver
        self._spawn = spawn
        self._clock = clock
        self._concurrency = concurrency
        self._capacity = capacity
        self._failed = failed
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._pending = 0
        self._running = 0
        self._closed = False
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._sleepers: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """How many messages are here."""
        return self._pending

    def put(self, delivery: Delivery, done: Done) -> None:
        self._pending += 1
        if self._pending >= self._capacity:
            self._roomy.clear()
        key = delivery.message.key
        lane = self._lanes.get(key) if key is not None else None
        if lane is not None:
            lane.append((delivery, done))
            return
        lane = _Lane(key)
        lane.append((delivery, done))
        if key is not None:
            self._lanes[key] = lane
        self._make_ready(lane)

    async def room(self) -> int:
        while not self._roomy.is_set():
            await self._roomy.wait()
        return max(1, self._capacity - self._pending)

    async def close(self) -> None:
        """Begin no further attempt, and wait for the running ones. What is not done is left to its giver."""
        self._closed = True
        self._roomy.clear()
        self._ready.clear()
        for sleeper in self._sleepers:
            sleeper.cancel()
        await self._idle.wait()

    def _make_ready(self, lane: _Lane) -> None:
        if self._closed:
            return
        self._ready.append(lane)
        if self._running < self._concurrency:
            self._running += 1
            self._idle.clear()
            self._spawn(self._work())

    async def _work(self) -> None:
        try:
            while self._ready:
                lane = self._ready.popleft()
                delivery, done = lane[0]
                pause = await self._attempt(delivery)
                if pause is None:
                    self._finish(lane, done)
                else:
                    self._later(lane, pause)
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def _attempt(self, delivery: Delivery) -> float | None:
        try:
            return await self._deliver(delivery)
        except Exception as error:  # noqa: BLE001 - a defect must not lose the message
            if self._failed is not None:
                self._failed(delivery, error)
            return REDELIVERY_SECONDS

    def _finish(self, lane: _Lane, done: Done) -> None:
        lane.popleft()
        self._pending -= 1
        if lane and not self._closed:
            self._ready.append(lane)
        elif not lane and lane.key is not None:
            del self._lanes[lane.key]
        if not self._closed and self._pending <= self._capacity // 2:  # half, so that rows are read by the hundred
            self._roomy.set()
        done()

    def _later(self, lane: _Lane, pause: float) -> None:
        if self._closed:
            return
        sleeper = self._spawn(self._wake(lane, pause))
        self._sleepers.add(sleeper)
        sleeper.add_done_callback(self._sleepers.discard)

    async def _wake(self, lane: _Lane, pause: float) -> None:
        await self._clock.sleep(pause)
        self._make_ready(lane)
