"""One consumer's reading of the stream: its share of the partitions, by position, at the pace of its sink."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nats.errors import Error

from ramet.clock import Clock
from ramet.errors import described
from ramet.events.base import Delivery, Done, Interest, Message, Subscription
from ramet.events.brokers.members import Members
from ramet.events.brokers.nats.connection import Connection
from ramet.events.brokers.nats.wire import Entry, Names, Origin, Start
from ramet.events.brokers.partition import Partition
from ramet.events.brokers.wire import decode_messages

AHEAD = 500
COMMIT_SECONDS = 0.5
DRAIN_SECONDS = 5.0
SILENCE_SECONDS = 10.0
_FAILURES = (TimeoutError, OSError, Error)
_log = logging.getLogger("ramet.events.nats")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """The application's stream as this process uses it; `announce` tells the other replicas that something is free."""

    connection: Connection
    names: Names
    members: Members
    clock: Clock
    partitions: int
    announce: Callable[[], None]


async def declare(connection: Connection, interest: Interest) -> None:
    """Write down where a consumer begins, if no process has done so before."""
    key = _start_key(interest.consumer)
    if await connection.get(key, Start) is None:
        after = 0 if interest.retained else (await connection.bounds())[1]
        await connection.decide(key, Start(after=after))


class _Arrived(NamedTuple):
    delivery: Delivery
    partition: Partition
    done: Done


class Reading:
    """Runs three loops: `coordinate` takes partitions over, gives them back and writes down what is done; `pull` reads
    ahead, as far as `AHEAD`; `feed` fills the sink, as it has room.

    A partition is read by the replica whose name stands in its entry. Entries change only by comparing revisions, so
    that a replica that was frozen finds out with its next write that another has taken over. What it has in flight then
    is handled twice, once without effect: the inbox of the consumer knows, and both go through a key in the same order.
    """

    def __init__(self, subscription: Subscription, stream: Stream, *, number: int) -> None:
        self.consumer = subscription.consumer
        self._topics = subscription.topics
        self._sink = subscription.sink
        self._connection = stream.connection
        self._names = stream.names
        self._members = stream.members
        self._clock = stream.clock
        self._partitions = stream.partitions
        self._announce = stream.announce
        self._number = number
        self._owned: dict[int, Partition] = {}
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()
        self._stale = True
        self._progress = asyncio.Event()
        self._reader = ""
        self._count = 0
        self._left = 0
        self._heard_at = 0.0
        self._events_each = 1.0  # in a message, of late
        self._waiting: deque[_Arrived] = deque()
        self._any = asyncio.Event()
        self._few = asyncio.Event()
        self._in_doubt = False
        """A write of an entry may have had no answer: one may name this replica that does not read the partition."""

    def wake(self) -> None:
        """Replicas have come or gone."""
        self._woken.set()

    def interrupt(self) -> None:
        """The connection was lost: what was on its way is read again."""
        self._in_doubt = True
        self._renew()

    async def coordinate(self) -> None:
        """Every half second, and when replicas come or go."""
        while True:
            try:
                await self._adjust()
                await self._commit()
                if self._in_doubt:
                    await self._disown()
            except _FAILURES as error:
                self._in_doubt = True
                _log.debug("%s: positions are written later: %s", self.consumer, error)
            if self._left and self._clock.monotonic() - self._heard_at > SILENCE_SECONDS:
                self._renew()
            self._woken.clear()
            await self._pause()

    async def pull(self) -> None:
        """Ask for more while little waits for the sink."""
        while True:
            while not self._reading:
                self._changed.clear()
                await self._changed.wait()
            while len(self._waiting) > AHEAD // 2:
                self._few.clear()
                await self._few.wait()
            batch = max(1, int((AHEAD - len(self._waiting)) / self._events_each))
            try:
                if self._stale:
                    await self._make_reader()
                if self._reader:
                    await self._ask(batch)
            except _FAILURES as error:
                _log.warning("%s cannot be read at the moment: %s", self.consumer, described(error))
                self._renew()
                await self._clock.sleep(self._clock.jitter(1.0))

    async def feed(self) -> None:
        """Put what has arrived into the sink."""
        while True:
            while not self._waiting:
                self._any.clear()
                await self._any.wait()
            for _ in range(min(await self._sink.room(), len(self._waiting))):
                delivery, partition, done = self._waiting.popleft()
                if self._owned.get(partition.number) is partition:
                    self._sink.put(delivery, done)
            if len(self._waiting) <= AHEAD // 2:
                self._few.set()

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
        partition = self._owned.get(number)
        if partition is not None and topic in self._topics and partition.take(where.position):
            self._take(decode_messages(data), partition, where.position)

    def _take(self, messages: Sequence[Message], partition: Partition, position: int) -> None:
        """What is stored as one is at one position, which is done when all of it is."""
        self._events_each += (len(messages) - self._events_each) / 10
        again, left = position <= partition.again_until, len(messages)

        def done() -> None:
            nonlocal left
            left -= 1
            if not left:
                partition.done(position)

        self._waiting.extend(_Arrived(Delivery(message, again), partition, done) for message in messages)
        self._any.set()

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
        return any(partition.read != partition.committed for partition in self._owned.values())

    async def close(self) -> None:
        """Write down what is done, and give the partitions back."""
        self._reader, reader = "", self._reader
        for partition in list(self._owned.values()):
            await self._give_back(partition)
        if reader:
            await self._connection.drop_reader(reader)

    def _key(self, number: int) -> str:
        return f"position.{self.consumer}.{number}"

    def _renew(self) -> None:
        self._stale = True
        self._reader = ""
        self._left = 0
        self._progress.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass

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
        for partition in self._owned.values():
            partition.forget_after(last)
        if numbers := self._reading:
            name = f"{self._number}-{self._clock.id()}"
            after = min(self._owned[number].read for number in numbers)
            filters = self._names.filters(self._topics, numbers, self._partitions)
            if len(filters) > 1 and not self._connection.several_filters:
                filters = [self._names.subjects]
            await self._connection.make_reader(name, after=after, filters=filters)
            if not self._stale:
                self._count, self._reader = 0, name
        if old:
            await self._connection.drop_reader(old)

    async def _adjust(self) -> None:
        """Give back what others should read, and take what is ours and free."""
        now = self._clock.monotonic()
        share = self._members.share(self.consumer, self._partitions, now=now)
        before = set(self._reading)
        for partition in list(self._owned.values()):
            if partition.number in share:
                partition.leaving_since = None
                continue
            partition.leaving_since = partition.leaving_since or now
            if partition.idle or now - partition.leaving_since > DRAIN_SECONDS:
                await self._give_back(partition)
        await _all(self._take_over(number) for number in share - self._owned.keys())
        if set(self._reading) != before:
            self._renew()
            self._changed.set()

    @property
    def _reading(self) -> list[int]:
        return [partition.number for partition in self._owned.values() if partition.leaving_since is None]

    async def _take_over(self, number: int) -> None:
        key, instance = self._key(number), self._members.instance
        known = await self._connection.get(key, Entry)
        if known is None:
            start = await self._connection.get(_start_key(self.consumer), Start)
            entry, revision = Entry(floor=start[0].after if start else 0), 0
        else:
            entry, revision = known
        owner = entry.owner
        if owner not in {"", instance} and self._members.may_live(owner, now=self._clock.monotonic()):
            return
        mine = await self._connection.put(key, Entry(owner=instance, floor=entry.floor), revision=revision)
        if mine is not None:
            again_until = 0 if known is None else (await self._connection.bounds())[1]
            self._owned[number] = Partition(number, floor=entry.floor, revision=mine, again_until=again_until)

    async def _give_back(self, partition: Partition) -> None:
        self._owned.pop(partition.number, None)
        entry = Entry(floor=partition.floor)
        await self._connection.put(self._key(partition.number), entry, revision=partition.revision)
        self._announce()

    async def _disown(self) -> None:
        """Give back what is this replica's by an answer that was lost: the others would wait for it for ever."""
        for number in set(range(self._partitions)) - self._owned.keys():
            known = await self._connection.get(self._key(number), Entry)
            if known is not None and known[0].owner == self._members.instance:
                entry, revision = known
                await self._connection.put(self._key(number), Entry(floor=entry.floor), revision=revision)
                self._announce()
        self._in_doubt = False

    async def _commit(self) -> None:
        moved = [one for one in self._owned.values() if one.floor != one.committed]
        await _all(self._write(partition) for partition in moved)

    async def _write(self, partition: Partition) -> None:
        floor, instance, key = partition.floor, self._members.instance, self._key(partition.number)
        revision = await self._connection.put(key, Entry(owner=instance, floor=floor), revision=partition.revision)
        if revision is None:  # another took over; or it was written, and the confirmation was lost
            known = await self._connection.get(key, Entry)
            if known is None or known[0].owner != instance:
                _log.warning("%s: another replica reads partition %d now", self.consumer, partition.number)
                self._owned.pop(partition.number, None)
                self._renew()
                return
            revision = known[1]
        else:
            partition.committed = floor
        partition.revision = revision


async def _all(writes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Until every one has ended: what is still being written when another fails would be taken for a lost answer."""
    for error in await asyncio.gather(*writes, return_exceptions=True):
        if error is not None:
            raise error


def _start_key(consumer: str) -> str:
    return f"start.{consumer}"
