"""Which partitions a replica reads for one consumer: taken over, their positions written down, and given back."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

import msgspec

from ramet.errors import described
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.partition import Partition

COMMIT_SECONDS = 0.5
DRAIN_SECONDS = 5.0
TOLD_EVERY = 20
log = logging.getLogger("ramet.events.partitions")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads a partition for a consumer ("" for nobody), and up to where everything is done."""

    owner: str = ""
    floor: int = 0


class Entries(ABC):
    """One consumer's entry for each of its `partitions`, in the broker's store, changed only by comparing revisions.

    `failures` are what the methods end with where there is no connection, or no answer.
    """

    partitions: int
    failures: tuple[type[Exception], ...]

    @abstractmethod
    async def get(self, number: int) -> tuple[Entry, int]:
        """The entry and its revision; revision 0: nobody has read the partition yet, and `floor` is where it begins."""

    @abstractmethod
    async def put(self, number: int, entry: Entry, *, revision: int) -> int | None:
        """Write an entry whose revision is this one; its new revision, or None where it has another one."""

    @abstractmethod
    async def last(self, number: int) -> int:
        """The last position in the store, of this partition or of all."""


class Holding:
    """A partition is read by the replica whose name stands in its entry.

    A replica that was frozen finds out with its next write that another has taken over. What it has in flight then is
    handled twice, once without effect: the inbox of the consumer knows, and both go through a key in the same order.

    `changed` is called when this replica reads others than before.
    """

    def __init__(
        self, consumer: str, entries: Entries, beats: Beats, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._consumer = consumer
        self._entries = entries
        self._members = beats.members
        self._clock = beats.clock
        self._announce = beats.announce
        self._told = changed
        self._owned: dict[int, Partition] = {}
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()
        self._failed = 0
        self._in_doubt = False
        """A write of an entry may have had no answer: one may name this replica that does not read the partition."""

    def __iter__(self) -> Iterator[Partition]:
        return iter(list(self._owned.values()))

    def __getitem__(self, number: int) -> Partition | None:
        return self._owned.get(number)

    def __contains__(self, partition: Partition) -> bool:
        return self._owned.get(partition.number) is partition

    @property
    def reading(self) -> list[Partition]:
        """What is read at the moment; a partition that is about to be given back is not."""
        return [partition for partition in self._owned.values() if partition.leaving_since is None]

    @property
    def owes(self) -> bool:
        """Whether something was read whose position is not written down yet."""
        return any(partition.read != partition.committed for partition in self._owned.values())

    def wake(self) -> None:
        """Replicas have come or gone."""
        self._woken.set()

    def doubt(self) -> None:
        """The connection was lost: answers to what was written may be, too."""
        self._in_doubt = True

    def forget(self) -> None:
        """Another store is there in the place of the one whose positions these are: take everything over anew."""
        self._owned.clear()
        self.doubt()
        self.wake()

    async def any(self) -> list[Partition]:
        """Wait until something is to be read."""
        while not self.reading:
            self._changed.clear()
            await self._changed.wait()
        return self.reading

    async def coordinate(self) -> None:
        """Every half second, and when replicas come or go."""
        while True:
            await self.adjust()
            await self.pause()

    async def adjust(self) -> None:
        """Take over, write down, give back; what fails is tried again with the next call."""
        try:
            await self._adjust()
            await self._commit()
            if self._in_doubt:
                await self._disown()
        except self._entries.failures as error:
            self._in_doubt = True
            self._failed += 1
            level = logging.WARNING if self._failed % TOLD_EVERY == 0 else logging.DEBUG
            log.log(level, "%s: positions are written later: %s", self._consumer, described(error))
        else:
            self._failed = 0

    async def pause(self) -> None:
        """Until `adjust` is due: after half a second, or when replicas come or go."""
        self._woken.clear()
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """Write down what is done, and give the partitions back."""
        await _all(self._give_back(partition) for partition in self)

    async def _adjust(self) -> None:
        now = self._clock.monotonic()
        share = self._members.share(self._consumer, self._entries.partitions, now=now)
        before = {partition.number for partition in self.reading}
        for partition in self:
            if partition.number in share:
                partition.leaving_since = None
                continue
            partition.leaving_since = partition.leaving_since or now
            if partition.idle or now - partition.leaving_since > DRAIN_SECONDS:
                await self._give_back(partition)
        await _all(self._take_over(number) for number in share - self._owned.keys())
        if {partition.number for partition in self.reading} != before:
            self._told()
            self._changed.set()

    async def _take_over(self, number: int) -> None:
        instance = self._members.instance
        entry, revision = await self._entries.get(number)
        owner = entry.owner
        if owner not in {"", instance} and self._members.may_live(owner, now=self._clock.monotonic()):
            return
        mine = await self._entries.put(number, Entry(owner=instance, floor=entry.floor), revision=revision)
        if mine is not None:
            again_until = await self._entries.last(number) if revision else 0
            self._owned[number] = Partition(number, floor=entry.floor, revision=mine, again_until=again_until)

    async def _give_back(self, partition: Partition) -> None:
        self._owned.pop(partition.number, None)
        await self._entries.put(partition.number, Entry(floor=partition.floor), revision=partition.revision)
        self._announce()

    async def _disown(self) -> None:
        """Give back what is this replica's by an answer that was lost: the others would wait for it for ever."""
        for number in set(range(self._entries.partitions)) - self._owned.keys():
            entry, revision = await self._entries.get(number)
            if entry.owner == self._members.instance:
                await self._entries.put(number, Entry(floor=entry.floor), revision=revision)
                self._announce()
        self._in_doubt = False

    async def _commit(self) -> None:
        moved = [one for one in self._owned.values() if one.floor != one.committed]
        await _all(self._write(partition) for partition in moved)

    async def _write(self, partition: Partition) -> None:
        floor, instance, number = partition.floor, self._members.instance, partition.number
        revision = await self._entries.put(number, Entry(owner=instance, floor=floor), revision=partition.revision)
        if revision is None:  # another took over; or it was written, and the confirmation was lost
            entry, revision = await self._entries.get(number)
            if entry.owner != instance:
                log.warning("%s: another replica reads partition %d now", self._consumer, number)
                self._owned.pop(number, None)
                self._told()
                return
        else:
            partition.committed = floor
        partition.revision = revision


async def _all(writes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Until every one has ended: what is still being written when another fails would be taken for a lost answer."""
    for error in await asyncio.gather(*writes, return_exceptions=True):
        if error is not None:
            raise error
