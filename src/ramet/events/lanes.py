"""Lanes: a consumer's queue, in which the messages of one key wait for each other and for nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from ramet.clock import Clock
from ramet.events.base import Deliver, Delivery, Done, Sink
from ramet.tasks import Spawn

REDELIVERY_SECONDS = 1.0
_Item = tuple[Delivery, Done]
_log = logging.getLogger("ramet.events")


class Lanes(Sink):
    """Runs `deliver` for each message: in order for each key, at most `concurrency` at a time, fair between keys.

    A message whose attempt failed keeps its key waiting until it is done, and occupies no worker meanwhile. `capacity`
    is how many messages may be here, waiting or running. An attempt that raises is a defect of the consumer: it is
    repeated after a second, because nothing may be lost, and logged.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        spawn: Spawn,
        clock: Clock,
        concurrency: int = 100,
        capacity: int = 1000,
        patience_seconds: float = 10.0,
    ) -> None:
        self._deliver = deliver
        self._spawn = spawn
        self._clock = clock
        self._concurrency = concurrency
        self._capacity = capacity
        self._patience = patience_seconds
        self._behind: dict[str, deque[_Item] | None] = {}  # by key that is being handled, what waits for it
        self._ready: deque[_Item] = deque()
        self._pending = 0
        self._running = 0
        self._closed = False
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._workers: set[asyncio.Task[None]] = set()
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
        if key is None:
            self._make_ready((delivery, done))
        elif key not in self._behind:
            self._behind[key] = None
            self._make_ready((delivery, done))
        elif (waiting := self._behind[key]) is None:
            self._behind[key] = deque([(delivery, done)])
        else:
            waiting.append((delivery, done))

    async def room(self) -> int:
        while not self._roomy.is_set():
            await self._roomy.wait()
        return max(1, self._capacity - self._pending)

    async def close(self) -> None:
        """Begin no further attempt, and wait for the running ones; after `patience_seconds` they are cancelled.

        What is not done is left to its giver, who gives it again after the next start.
        """
        self._closed = True
        self._roomy.clear()
        self._ready.clear()
        for sleeper in self._sleepers:
            sleeper.cancel()
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=self._patience)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _make_ready(self, item: _Item) -> None:
        if self._closed:
            return
        self._ready.append(item)
        if self._running < self._concurrency:
            self._running += 1
            worker = self._spawn(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        try:
            while self._ready:
                item = self._ready.popleft()
                try:
                    pause = await self._deliver(item[0])
                except Exception:  # noqa: BLE001 - a defect must not lose the message
                    _log.exception("event %s could not be delivered, again in 1 s", item[0].message.id)
                    pause = REDELIVERY_SECONDS
                if pause is None:
                    self._finish(item)
                else:
                    self._later(item, pause)
        finally:
            self._running -= 1

    def _finish(self, item: _Item) -> None:
        self._pending -= 1
        key = item[0].message.key
        if key is not None:
            waiting = self._behind[key]
            if not waiting:
                del self._behind[key]
            elif not self._closed:
                self._ready.append(waiting.popleft())
        if not self._closed and self._pending <= self._capacity // 2:  # half, so that rows are read by the hundred
            self._roomy.set()
        item[1]()

    def _later(self, item: _Item, pause: float) -> None:
        if self._closed:
            return
        sleeper = self._spawn(self._wake(item, pause))
        self._sleepers.add(sleeper)
        sleeper.add_done_callback(self._sleepers.discard)

    async def _wake(self, item: _Item, pause: float) -> None:
        await self._clock.sleep(pause)
        self._make_ready(item)
