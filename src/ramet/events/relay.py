"""The relay: carries what was committed to the outbox into the broker, woken by each commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from ramet.clock import Clock
from ramet.events.base import Broker, Delivery, Done, Outlet, Sink
from ramet.events.feed import Feed
from ramet.events.outbox import Entry, Outbox
from ramet.storage.base import Storage
from ramet.tasks import Spawn

RETENTION_SECONDS = 7 * 86400.0
PURGE_EVERY_SECONDS = 3600.0
MARK_EVERY_SECONDS = 0.05
RECOVERY_SECONDS = 1.0
_log = logging.getLogger("ramet.events")


class Relay:
    """One service's relay. `wake` after every commit that published; it costs next to nothing.

    Each outlet of the broker has a feed, which reads the outbox at the outlet's pace. A row is marked as sent when
    no feed owes it to its outlet any more; marks are collected for 50 ms, for a lost one costs only a redelivery.
    Rows that nobody subscribes to are marked too, most of them as they are written: all are kept for
    `retention_seconds`, for consumers that come later.

    Order is kept for each key, also across restarts: what is unsent is read again from the start. `topics` are those
    this service publishes (None: not known, so any).
    """

    def __init__(
        self,
        storage: Storage,
        broker: Broker,
        *,
        clock: Clock,
        spawn: Spawn,
        topics: Collection[str] | None = None,
        retention_seconds: float = RETENTION_SECONDS,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._spawn = spawn
        self._topics = None if topics is None else frozenset(topics)
        self._retention = retention_seconds
        self._storage = storage
        self._outbox = Outbox(storage)
        self._wanted: frozenset[str] | None = frozenset()  # None: every topic
        self._unwanted = Feed(Outlet("", None, _Nowhere()), self._is_unwanted, self._outbox, settled=self._note_settled)
        self._feeds: list[Feed] = []
        self._settled: list[int] = []
        self._any_settled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._again_until = 0
        self._started = False

    async def start(self) -> None:
        """Begin with what was left unsent, then go on with what is committed."""
        self._again_until = await self._outbox.last()
        for outlet in self._broker.outlets(self._topics):
            self._add(outlet)
        self._started = True
        self._keep_going(lambda: self._unwanted.run(self._again_until))
        self._keep_going(self._mark)
        self._keep_going(self._purge)

    async def sent(self) -> int:
        """The position up to which everything is sent, that is, handled by everybody."""
        return await self._outbox.sent()

    def wants(self, topic: str) -> bool:
        """Whether anybody subscribes to a topic, as far as is known; a row for nobody can be written as sent."""
        return not (self._started and self._is_unwanted(topic))

    def wake(self) -> None:
        """Something was committed."""
        self._unwanted.wake()
        for feed in self._feeds:
            feed.wake()

    async def stop(self) -> None:
        """Read no more, and mark what was handled. Stop the consumers first, so that their last marks are kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._flush()

    def _add(self, outlet: Outlet) -> None:
        topics = outlet.topics
        if topics is not None and self._topics is not None:
            topics &= self._topics
        wants = _any if topics is None else topics.__contains__
        feed = Feed(outlet, wants, self._outbox, settled=self._note_settled)
        self._feeds.append(feed)
        self._wanted = None if topics is None or self._wanted is None else self._wanted | topics
        self._keep_going(lambda: feed.run(self._again_until))

    def _is_unwanted(self, topic: str) -> bool:
        return self._wanted is not None and topic not in self._wanted

    def _note_settled(self, entry: Entry) -> None:
        for feed in self._feeds:
            if feed.owes(entry):
                return
        self._settled.append(entry.seq)
        self._any_settled.set()

    async def _mark(self) -> None:
        while True:
            await self._any_settled.wait()
            await self._clock.sleep(MARK_EVERY_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        settled, self._settled = self._settled, []
        self._any_settled.clear()
        if not settled:
            return
        try:
            await self._outbox.mark(settled, self._clock.time())
        except BaseException:
            self._settled += settled
            self._any_settled.set()
            raise

    async def _purge(self) -> None:
        while True:
            await self._clock.sleep(PURGE_EVERY_SECONDS)
            await self._outbox.purge(self._clock.time() - self._retention)

    def _keep_going(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(self._spawn(self._repeat(work)))

    async def _repeat(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What fails (the database, for a while) begins again. Nothing is lost: a feed only moves on after a read."""
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - events must flow again, whatever it was
                _log.exception("the relay of %s failed, again in 1 s", self._storage.service)
                await self._clock.sleep(RECOVERY_SECONDS)


def _any(_: str) -> bool:
    return True


class _Nowhere(Sink):
    """For what nobody subscribes to."""

    def put(self, delivery: Delivery, done: Done) -> None:  # noqa: ARG002 - nothing is kept
        done()

    async def room(self) -> int:
        return 1000
