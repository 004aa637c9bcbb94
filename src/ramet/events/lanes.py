"""Lanes: a consumer's queue, in which the messages of one key wait for each other and for nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from ramet.clock import Clock
from ramet.events.base import Deliver, Delivery, Done, Sink
from ramet.tasks import Spawn

REDELIVERY_SECONDS = 1.0
_Item = tuple[Delivery, Done]
log = logging.getLogger("ramet.events")


class Deliverer:
    """Who attempts deliveries for lanes: each by itself, unless it is one that takes several at a time."""

    changed: Callable[[], None] = staticmethod(lambda: None)
    """Called when it takes each by itself from now on."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    @property
    def most(self) -> int:
        """How many at the moment; 1: each by itself."""
        return 1

    @property
    def at_once(self) -> int:
        """How many lots of them side by side."""
        return 1

    def takes(self, delivery: Delivery) -> bool:  # noqa: ARG002 - none
        """Whether it may be in a lot with others."""
        return False

    async def deliver(self, delivery: Delivery) -> float | None:
        """One attempt, as `Deliver` says."""
        return await self._deliver(delivery)

    async def deliver_all(self, deliveries: Sequence[Delivery]) -> Sequence[float | None]:
        """What `deliver` says, for each; those of a key in order, and none is done before one in front of it."""
        return [await self.deliver(delivery) for delivery in deliveries]


class Lanes(Sink):
    """Runs `deliver` for each message: in order for each key, at most `concurrency` at a time, fair between keys.

    Where several may be handled together, what has gathered while the last ones were being handled is the next lot.

    A message whose attempt failed keeps its key waiting until it is done, and occupies no worker meanwhile. `capacity`
    is how many messages may be here, waiting or running. An attempt that raises is a defect of the consumer: it is
    repeated after a second, because nothing may be lost, and logged.
    """

    def __init__(
        self,
        deliver: Deliver | Deliverer,
        *,
        spawn: Spawn,
        clock: Clock,
        concurrency: int = 100,
        capacity: int = 1000,
        patience_seconds: float = 10.0,
    ) -> None:
        self.deliverer = deliver if isinstance(deliver, Deliverer) else Deliverer(deliver)
        self.deliverer.changed = self._start_workers
        self._spawn = spawn
        self._clock = clock
        self._concurrency = concurrency
        self._capacity = capacity
        self._patience = patience_seconds
        self._lots = 0
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
        self._start_worker()

    def _start_worker(self) -> None:
        if self._running < self._concurrency and not self._waits:
            self._running += 1
            worker = self._spawn(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    @property
    def _waits(self) -> bool:
        """Whether what is ready gathers until the end of a lot that is being handled."""
        return self.deliverer.most > 1 and self._lots >= self.deliverer.at_once

    async def _work(self) -> None:
        try:
            while self._ready and not self._waits:
                lot = self.deliverer.most > 1
                self._lots += lot
                try:
                    items = self._take()
                    outcomes = await self._attempt([delivery for delivery, _ in items])
                finally:
                    self._lots -= lot
                self._settle(items, outcomes)
                if lot:  # what was rolled back may be handled side by side
                    self._start_workers()
        finally:
            self._running -= 1
        self._start_workers()

    def _start_workers(self) -> None:
        for _ in range(min(len(self._ready), self._concurrency)):
            self._start_worker()

    def _take(self) -> list[_Item]:
        """The first that is ready, with what may be handled together with it: its share, where there are more lots."""
        most, takes = self.deliverer.most, self.deliverer.takes
        share = min(most, -(-len(self._ready) // self.deliverer.at_once))
        items = [self._ready.popleft()]
        while most > 1 and takes(items[-1][0]) and len(items) < most:
            key = items[-1][0].message.key
            queue = (self._behind[key] if key is not None else None) or (self._ready if len(items) < share else None)
            if not queue or not takes(queue[0][0]):
                break
            items.append(queue.popleft())
        return items

    async def _attempt(self, deliveries: Sequence[Delivery]) -> Sequence[float | None]:
        try:
            if len(deliveries) > 1:
                return await self.deliverer.deliver_all(deliveries)
            return [await self.deliverer.deliver(deliveries[0])]
        except Exception:
            names = ", ".join(delivery.message.id for delivery in deliveries)
            log.exception("event %s could not be delivered, again in 1 s", names)
            return [REDELIVERY_SECONDS] * len(deliveries)

    def _settle(self, items: Sequence[_Item], outcomes: Sequence[float | None]) -> None:
        """Let go of what is done; of the rest the first of each key is tried again, and the others wait behind it."""
        done: list[Done] = []
        keys: dict[str, list[_Item]] = {}
        for item, pause in zip(items, outcomes, strict=True):
            key = item[0].message.key
            left = keys.setdefault(key, []) if key is not None else []
            if pause is None:
                done.append(item[1])
            else:
                if not left:
                    self._later(item, pause)
                left.append(item)
        self._pending -= len(done)
        if not self._closed:
            for key, left in keys.items():
                self._go_on(key, left)
            if self._pending <= self._capacity // 2:  # half, so that rows are read by the hundred
                self._roomy.set()
        for call in done:
            call()

    def _go_on(self, key: str, left: Sequence[_Item]) -> None:
        """With the next of a key, or with those of it that are left."""
        waiting = self._behind[key]
        if len(left) > 1:
            self._behind[key] = deque([*left[1:], *(waiting or ())])
        elif left:
            return
        elif waiting:
            self._ready.append(waiting.popleft())
        else:
            del self._behind[key]

    def _later(self, item: _Item, pause: float) -> None:
        if self._closed:
            return
        if not pause:
            self._ready.append(item)
            return
        sleeper = self._spawn(self._wake(item, pause))
        self._sleepers.add(sleeper)
        sleeper.add_done_callback(self._sleepers.discard)

    async def _wake(self, item: _Item, pause: float) -> None:
        await self._clock.sleep(pause)
        self._make_ready(item)
