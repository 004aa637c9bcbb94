"""One consumer's reading of the streams: its share of the partitions, by position, at the pace of its sink."""

from __future__ import annotations

import logging
from typing import Any

from ramet.errors import described
from ramet.events.base import Subscription
from ramet.events.brokers.ahead import Ahead
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.holding import Holding
from ramet.events.brokers.partition import Partition
from ramet.events.brokers.redis.entries import RedisEntries, Store
from ramet.events.brokers.redis.line import FAILURES, RECONNECT_SECONDS, Line
from ramet.events.brokers.redis.wire import identifier_of, position_of
from ramet.events.brokers.wire import decode_messages

BLOCK_MILLISECONDS = 500
log = logging.getLogger("ramet.events.redis")


class Reading:
    """Runs three loops: `coordinate` sees to the partitions, `read` reads ahead, `feed` fills the sink."""

    def __init__(self, subscription: Subscription, store: Store, beats: Beats, line: Line) -> None:
        self.consumer = subscription.consumer
        self._topics = {topic.encode() for topic in subscription.topics}
        self._line = line
        self._store = store
        self._clock = beats.clock
        self._holding = Holding(subscription.consumer, RedisEntries(store, subscription.consumer), beats)
        self._ahead = Ahead(subscription.sink, self._holding)
        self.wake = self._holding.wake
        self.coordinate = self._holding.coordinate
        self.feed = self._ahead.feed
        self._is_lost = False

    def interrupt(self) -> None:
        """A loop has failed: answers may be lost."""
        self._holding.doubt()
        self._is_lost = True

    async def read(self) -> None:
        """Read on while little waits for the sink."""
        while True:
            await self._holding.any()
            wanted = await self._ahead.wanted()
            try:
                if self._is_lost:
                    await self._look_back()
                await self._read(wanted)
            except FAILURES as error:
                log.debug("%s cannot be read at the moment: %s", self.consumer, described(error))
                self.interrupt()
                await self._line.hang_up()  # the address may lead to another server by now
                await self._clock.sleep(self._clock.jitter(RECONNECT_SECONDS))

    @property
    def owes(self) -> bool:
        """Whether something was read whose position is not written down yet."""
        return self._holding.owes

    async def close(self) -> None:
        """Write down what is done, and give the partitions back."""
        await self._line.hang_up()
        await self._holding.close()

    async def _look_back(self) -> None:
        """A server that comes back may have lost its end."""
        for partition in self._holding:
            partition.forget_after(await self._store.last(partition.number))
        self._is_lost = False

    async def _read(self, wanted: int) -> None:
        reading = self._holding.reading
        if not reading:
            return
        streams = {self._store.names.events(partition.number): partition for partition in reading}
        after = [identifier_of(partition.read) for partition in reading]
        count = max(1, wanted // len(reading))
        question = ("XREAD", "COUNT", count, "BLOCK", BLOCK_MILLISECONDS, "STREAMS", *streams, *after)
        (answer,) = await self._line.ask(question)
        if isinstance(answer, Exception):
            raise answer
        for stream, entries in answer or ():
            self._take(streams[stream.decode()], entries)

    def _take(self, partition: Partition, entries: list[Any]) -> None:
        for identifier, (topic, data) in entries:
            position = position_of(identifier)
            if topic not in self._topics:
                partition.pass_over(position)
            elif partition.take(position):
                self._ahead.add(decode_messages(data), partition, position)
