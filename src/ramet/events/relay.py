"""The relay: carries what was committed to the outbox into the broker, woken by each commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from ramet.clock import Clock
from ramet.errors import described
from ramet.events.base import Broker, Delivery, Done, Outlet, Sink
from ramet.events.feed import Feed
from ramet.events.outbox import Entry, Outbox
from ramet.storage.base import Storage
from ramet.storage.leases import Leases
from ramet.storage.tables import RETENTION_SECONDS
from ramet.tasks import Spawn

PURGE_EVERY_SECONDS = 3600.0
MARK_EVERY_SECONDS = 0.05
RECOVERY_SECONDS = 1.0
POLL_SECONDS = 1.0
LATE_PAUSE_SECONDS = 0.02
SWEEP_EVERY_SECONDS = 30.0
SWEPT_AT_ONCE = 1000
LEASE = "relay"
CHANNEL = "ramet_outbox"
log = logging.getLogger("ramet.events")
_Work = Callable[[], Coroutine[Any, Any, None]]


class Relay:
    """One service's relay. `wake` after every commit that published; it costs next to nothing.

    Each outlet of the broker has a feed, which reads the outbox at the outlet's pace. A row is marked as sent when
    no feed owes it to its outlet any more; marks are collected for 50 ms, for a lost one costs only a redelivery.
    Rows that nobody subscribes to are marked too, most of them as they are written: all are kept for a while, for
    consumers that come later.

    Order is kept for each key, also across restarts: what is unsent is read again from the start. `topics` are those
    this service publishes (None: not known, so any).

    Where several processes share the database (`share`), the one that holds a lease sends, and the others wake it. One
    that was frozen and has lost the lease may send what was sent already, and no more harm than that. There, order is
    kept between events of one key whose transactions wait for each other, as those do that write the same row first.
    """

    def __init__(
        self,
        storage: Storage,
        broker: Broker,
        *,
        clock: Clock,
        spawn: Spawn,
        topics: Collection[str] | None = None,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._spawn = spawn
        self._topics = None if topics is None else frozenset(topics)
        self._storage = storage
        self._outlets: Sequence[Outlet] = ()
        self._leases: Leases | None = None
        self._wanted: frozenset[str] | None = frozenset()  # None: every topic
        self._settled: list[int] = []
        self._any_settled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._duty: asyncio.Task[None] | None = None
        self._duty_changed = asyncio.Event()
        self._late_due = asyncio.Event()
        self._again_until = 0
        self._started = False
        self._forget()

    def _forget(self) -> None:
        """As if nothing was read."""
        self._outbox = Outbox(self._storage)
        self._unwanted = Feed(Outlet("", None, _Nowhere()), self._is_unwanted, self._outbox, settled=self._note_settled)
        self._feeds: list[Feed] = []

    # -- life ----------------------------------------------------------------------------------------------------

    def share(self, leases: Leases) -> None:
        """Send only while this process is the one to do it; called before `start`."""
        self._leases = leases

    async def start(self) -> None:
        """Begin with what was left unsent, then go on with what is committed."""
        self._outlets = self._broker.outlets(self._topics)
        for outlet in self._outlets:
            topics = self._topics_of(outlet)
            self._wanted = None if topics is None or self._wanted is None else self._wanted | topics
        self._started = True
        if self._leases is None:
            await self._send()
            return
        self._leases.listen(self._duty_changed.set)
        self._leases.contend(LEASE)
        self._storage.listen(CHANNEL, self._wake_here)
        self._duty_changed.set()
        self._duty = self._spawn(self._repeat(self._do_duty))

    async def stop(self) -> None:
        """Read no more, and mark what was handled. Stop the consumers first, so that their last marks are kept."""
        if self._duty is not None:
            self._duty.cancel()
            await asyncio.gather(self._duty, return_exceptions=True)
        await self._pause()

    async def _do_duty(self) -> None:
        """Send while the lease is held."""
        while True:
            await self._duty_changed.wait()
            self._duty_changed.clear()
            held = self._leases is not None and self._leases.holds(LEASE)
            if held and not self._tasks:
                log.info("the relay of %s sends from this process now", self._storage.service)
                await self._send()
            elif not held and self._tasks:
                log.info("the relay of %s sends from another process now", self._storage.service)
                await self._pause()
                self._forget()

    async def _send(self) -> None:
        self._again_until = await self._outbox.last()
        if self._leases is not None:
            await self._outbox.begin(self._clock.monotonic, self._bring)
            for work in (self._catch_late, self._poll, self._sweep):
                self._keep_going(work)
        for outlet in self._outlets:
            self._add(outlet)
        self._keep_going(lambda: self._unwanted.run(self._again_until))
        self._keep_going(self._mark)
        self._keep_going(self._purge)

    async def _pause(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        try:
            await self._flush()
        except Exception as error:  # noqa: BLE001 - whatever it was: a mark that is lost costs only a redelivery
            log.warning("the relay of %s could not mark what is sent: %s", self._storage.service, described(error))

    # -- what others ask -----------------------------------------------------------------------------------------

    async def sent(self) -> int:
        """The position up to which everything is sent, that is, handled by everybody."""
        return await self._outbox.sent()

    def wants(self, topic: str) -> bool:
        """Whether anybody subscribes to a topic, as far as is known; a row for nobody can be written as sent."""
        return not (self._started and self._is_unwanted(topic))

    def wake(self) -> None:
        """Something was committed."""
        if self._leases is None or self._tasks:
            self._wake_here()
        else:
            self._storage.notify(CHANNEL)

    def _wake_here(self) -> None:
        self._unwanted.wake()
        for feed in self._feeds:
            feed.wake()
        self._late_due.set()

    # -- feeds ---------------------------------------------------------------------------------------------------

    def _topics_of(self, outlet: Outlet) -> frozenset[str] | None:
        if outlet.topics is None or self._topics is None:
            return outlet.topics
        return outlet.topics & self._topics

    def _add(self, outlet: Outlet) -> None:
        topics = self._topics_of(outlet)
        wants = _any if topics is None else topics.__contains__
        feed = Feed(outlet, wants, self._outbox, settled=self._note_settled)
        self._feeds.append(feed)
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
            await self._outbox.purge(self._clock.time() - RETENTION_SECONDS)

    # -- rows that come late -------------------------------------------------------------------------------------

    async def _poll(self) -> None:
        """A notification may have been lost."""
        while True:
            await self._clock.sleep(POLL_SECONDS)
            self._wake_here()

    async def _catch_late(self) -> None:
        """Bring what was committed after rows with greater numbers."""
        while True:
            await self._late_due.wait()
            self._late_due.clear()
            await self._outbox.late()
            await self._clock.sleep(LATE_PAUSE_SECONDS)

    def _bring(self, entries: Sequence[Entry]) -> None:
        for entry in entries:  # to all at once: none may be done with it before all have it
            for feed in (*self._feeds, self._unwanted):
                feed.late(entry)

    async def _sweep(self) -> None:
        """Bring what nobody has been given twice in a row: of a transaction that took longer than gaps are kept."""
        suspects: set[int] = set()
        while True:
            await self._clock.sleep(SWEEP_EVERY_SECONDS)
            overlooked = await self._overlooked()
            self._bring([entry for entry in overlooked if entry.seq in suspects])
            suspects = {entry.seq for entry in overlooked}

    async def _overlooked(self) -> list[Entry]:
        found: list[Entry] = []
        seq = 0
        while entries := await self._outbox.unsent(seq, SWEPT_AT_ONCE):
            settled = set(self._settled)
            found += [entry for entry in entries if entry.seq not in settled and not self._is_owed(entry)]
            seq = entries[-1].seq
            await self._clock.sleep(0)
        return found

    def _is_owed(self, entry: Entry) -> bool:
        return self._unwanted.owes(entry) or any(feed.owes(entry) for feed in self._feeds)

    # -- going on ------------------------------------------------------------------------------------------------

    def _keep_going(self, work: _Work) -> None:
        self._tasks.append(self._spawn(self._repeat(work)))

    async def _repeat(self, work: _Work) -> None:
        """What fails (the database, for a while) begins again. Nothing is lost: a feed only moves on after a read."""
        while True:
            try:
                await work()
            except Exception:
                log.exception("the relay of %s failed, again in 1 s", self._storage.service)
                await self._clock.sleep(RECOVERY_SECONDS)
                self._duty_changed.set()


def _any(_: str) -> bool:
    return True


class _Nowhere(Sink):
    """For what nobody subscribes to."""

    def put(self, delivery: Delivery, done: Done) -> None:  # noqa: ARG002 - nothing is kept
        done()

    async def room(self) -> int:
        return 1000
