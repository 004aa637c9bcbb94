"""One consumer's reading of the stream: its share of the partitions, by position, at the pace of its sink."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from ramet.errors import described
from ramet.events.base import Subscription
from ramet.events.brokers.ahead import Ahead
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.holding import Holding
from ramet.events.brokers.nats.connection import FAILURES, Connection
from ramet.events.brokers.nats.entries import NatsEntries
from ramet.events.brokers.nats.wire import Names, Origin
from ramet.events.brokers.wire import decode_messages

SILENCE_SECONDS = 10.0
log = logging.getLogger("ramet.events.nats")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The application's stream as this process uses it."""

    connection: Connection
    names: Names
    beats: Beats
    partitions: int


class Reading:
    """Runs three loops: `coordinate` sees to the partitions, `pull` reads ahead, `feed` fills the sink."""

    def __init__(self, subscription: Subscription, stream: Stream, *, number: int) -> None:
        self.consumer = subscription.consumer
        self._topics = subscription.topics
        self._connection = stream.connection
        self._names = stream.names
        self._clock = stream.beats.clock
        self._partitions = stream.partitions
        self._number = number
        entries = NatsEntries(stream.connection, subscription.consumer, stream.partitions)
        self._holding = Holding(subscription.consumer, entries, stream.beats, self._renew)
        self._ahead = Ahead(subscription.sink, self._holding)
        self.wake = self._holding.wake
        self.feed = self._ahead.feed
        self._stale = True
        self._era = stream.connection.era
        self._progress = asyncio.Event()
        self._reader = ""
        self._count = 0
        self._left = 0
        self._heard_at = 0.0

    def interrupt(self) -> None:
        """The connection was lost: what was on its way is read again."""
        self._holding.doubt()
        self._renew()

    async def coordinate(self) -> None:
        """Every half second, and when replicas come or go."""
        while True:
            await self._holding.adjust()
            if self._left and self._clock.monotonic() - self._heard_at > SILENCE_SECONDS:
                self._renew()
            await self._holding.pause()

    async def pull(self) -> None:
        """Ask for more while little waits for the sink."""
        while True:
            await self._holding.any()
            batch = await self._ahead.wanted()
            try:
                if self._stale:
                    await self._make_reader()
                if self._reader:
                    await self._ask(batch)
            except FAILURES as error:
                log.warning("%s cannot be read at the moment: %s", self.consumer, described(error))
                self._renew()
                await self._clock.sleep(self._clock.jitter(1.0))

    def arrived(self, where: Origin, subject: str, data: bytes) -> None:
        """A message of the current reader."""
        self._heard_at = self._clock.monotonic()
        if where.reader != self._reader:
            return
        if where.place != self._count + 1:
            self._renew()  # something was lost on the way: read again from what is known
            return
        self._count = where.place
        self._left -= 1
        if self._left <= 0:
            self._progress.set()
        number, topic = self._names.partition(subject)
        partition = self._holding[number]
        if partition is not None and topic in self._topics and partition.take(where.position):
            self._ahead.add(decode_messages(data), partition, where.position)

    def answered(self, reader: str, status: str) -> None:
        """What the server says of the question itself: 100 is a heartbeat, all else ends it."""
        if reader != self._reader:
            return
        self._heard_at = self._clock.monotonic()
        if status == "100":
            return
        if status not in {"404", "408"}:
            self._stale = True
        self._left = 0
        self._progress.set()

    @property
    def owes(self) -> bool:
        """Whether something was read whose position is not written down yet."""
        return self._holding.owes

    async def close(self) -> None:
        """Write down what is done, and give the partitions back."""
        self._reader, reader = "", self._reader
        await self._holding.close()
        if reader:
            await self._connection.drop_reader(reader)

    def _renew(self) -> None:
        self._stale = True
        self._reader = ""
        self._left = 0
        self._progress.set()

    async def _ask(self, batch: int) -> None:
        self._left = batch
        self._progress.clear()
        self._heard_at = self._clock.monotonic()
        await self._connection.ask(self._reader, batch)
        await self._progress.wait()

    async def _make_reader(self) -> None:
        """A new reader from the first position that some partition has not read."""
        self._reader, old = "", self._reader
        self._stale = False
        _, last = await self._connection.bounds()
        if self._era != self._connection.era:
            self._era = self._connection.era
            self._holding.forget()
        for partition in self._holding:
            partition.forget_after(last)
        if reading := self._holding.reading:
            name = f"{self._number}-{self._clock.id()}"
            numbers = [partition.number for partition in reading]
            filters = self._names.filters(self._topics, numbers, self._partitions)
            if len(filters) > 1 and not self._connection.several_filters:
                filters = [self._names.subjects]
            after = min(partition.read for partition in reading)
            await self._connection.make_reader(name, after=after, filters=filters)
            if not self._stale:
                self._count, self._reader = 0, name
        if old:
            await self._connection.drop_reader(old)
