"""Who reads a partition, when answers to what was written about it are lost or late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ramet.clock import VirtualClock
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.holding import Entries, Entry, Holding
from ramet.events.brokers.members import Beat, encode_beat
from ramet.tasks import Tasks

CONSUMER = "billing.note"
PATIENCE_SECONDS = 5.0


class Kept(Entries):
    """Entries in memory; the answers in `lost` and `late` are."""

    partitions = 2
    failures = (TimeoutError,)

    def __init__(self) -> None:
        self.entries: dict[int, tuple[Entry, int]] = {}
        self.lost: set[int] = set()
        self.late: dict[int, asyncio.Event] = {}

    async def get(self, number: int) -> tuple[Entry, int]:
        return self.entries.get(number, (Entry(), 0))

    async def put(self, number: int, entry: Entry, *, revision: int) -> int | None:
        if (await self.get(number))[1] != revision:
            return None
        self.entries[number] = entry, revision + 1
        if number in self.lost:
            self.lost.remove(number)
            raise TimeoutError
        if number in self.late:
            await self.late[number].wait()
        return revision + 1

    async def last(self, number: int) -> int:
        return 0

    def owner(self, number: int) -> str:
        return self.entries.get(number, (Entry(), 0))[0].owner


@asynccontextmanager
async def holding(entries: Kept) -> AsyncIterator[tuple[Holding, Beats]]:
    tasks, told = Tasks(), asyncio.Event()

    async def tell(_: bytes) -> None:
        told.set()

    beats = Beats(tell, clock=VirtualClock(), spawn=tasks.spawn, failures=entries.failures)
    one = Holding(CONSUMER, entries, beats, told.set)

    async def coordinate() -> None:
        while True:
            await one.adjust()
            await one.pause()

    tasks.spawn(coordinate())
    try:
        yield one, beats
    finally:
        await tasks.stop()


async def until(one: Holding, condition: Callable[[], bool]) -> None:
    """Let it look again and again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            one.wake()
            await asyncio.sleep(0)


def hears_of(beats: Beats, other: str) -> None:
    beats.hear(encode_beat(Beat(other, (CONSUMER,))))


async def test_a_partition_that_is_held_by_a_lost_answer_only_is_given_back_when_it_is_anothers() -> None:
    entries = Kept()
    entries.lost.add(0)
    async with holding(entries) as (one, beats):
        me = beats.members.instance
        await until(one, lambda: entries.owner(0) == me)
        hears_of(beats, "\0")  # before any other: it should read 0 from now on
        await until(one, lambda: entries.owner(0) == "")
        assert entries.owner(1) == me


async def test_a_partition_that_is_just_being_taken_is_not_given_back_because_another_could_not_be() -> None:
    entries = Kept()
    answer = entries.late[1] = asyncio.Event()
    entries.lost.add(0)
    async with holding(entries) as (one, beats):
        me = beats.members.instance
        await until(one, lambda: entries.owner(0) == entries.owner(1) == me)
        hears_of(beats, "~")  # behind any other: it should read 1 from now on
        for _ in range(100):
            one.wake()
            await asyncio.sleep(0)
        assert entries.owner(1) == me
        answer.set()
        await until(one, lambda: entries.owner(1) == "")
        assert entries.owner(0) == me


async def test_a_replica_whose_partition_was_taken_over_reads_it_no_more() -> None:
    entries = Kept()
    async with holding(entries) as (one, _):
        await until(one, lambda: len(one.reading) == 2)
        partition = one[0]
        assert partition is not None
        entries.entries[0] = Entry(owner="another"), 9
        assert partition.take(7)
        partition.done(7)
        await until(one, lambda: one[0] is not partition)
        assert partition not in one
        assert entries.owner(0) == "another"
