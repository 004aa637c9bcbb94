"""The outbox as rows: written with the transaction, read in order, marked in runs."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.errors import StorageUnavailable
from ramet.events.base import Delivery, Done, Message, Outlet, Sink
from ramet.events.feed import Feed
from ramet.events.outbox import YOUNG_SECONDS, Entry, Outbox, publish_write, ranges
from tests.unit.events.bed import Bed, bed, numbers
from tests.unit.events.test_relay_shared import commit
from tests.unit.faults import Fault, Gate, OwnStorage


@given(st.sets(st.integers(min_value=1, max_value=100)))
def test_ranges_cover_the_positions_and_nothing_else(positions: set[int]) -> None:
    runs = list(ranges(positions))
    assert [position for first, last in runs for position in range(first, last + 1)] == sorted(positions)
    assert all(later[0] > earlier[1] + 1 for earlier, later in itertools.pairwise(runs))


async def test_a_message_comes_back_as_it_was(tmp_path: Path) -> None:
    message = Message(
        id="1", topic="orders.Placed", key=None, version=3, payload=b"\x00\xff", headers={"trace": "ü"}, at=12.5
    )
    async with bed(tmp_path) as it:
        work = it.orders.unit()
        work.defer(publish_write(message))
        await work.commit()
        (entry,) = await Outbox(it.orders).after(0, 10)
        assert entry.message == message


async def test_readers_at_the_head_share_what_was_read_and_others_read_for_themselves(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.publish(*numbers(25))
        outbox = Outbox(it.orders, kept=10)
        seen, position = [], 0
        while entries := await outbox.after(position, 7):
            seen += [int(entry.message.payload) for entry in entries]
            position = entries[-1].seq
        assert seen == list(numbers(25))
        assert len(outbox._recent) <= 10
        assert [int(entry.message.payload) for entry in await outbox.after(0, 3)] == [1, 2, 3]
        assert [int(entry.message.payload) for entry in await outbox.after(20, 3)] == [21, 22, 23]


async def test_what_is_marked_is_not_read_again_except_as_the_past(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.publish(*numbers(5), key="a")
        outbox = Outbox(it.orders)
        await outbox.mark([1, 2, 4], at=1.0)
        assert [entry.seq for entry in await Outbox(it.orders).after(0, 10)] == [3, 5]
        assert [entry.seq for entry in await outbox.past(0, 10)] == [1, 2, 3, 4, 5]
        assert [entry.seq for entry in await outbox.of_key("a", 2, 4, 10, past=True)] == [2, 3, 4]
        assert [entry.seq for entry in await outbox.of_key("a", 2, 5, 10, past=False)] == [3, 5]
        assert await outbox.last() == 5


async def test_purging_spares_what_is_unsent_or_young(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.publish(*numbers(4))
        await it.clock.advance(100)
        await it.publish(5)
        outbox = Outbox(it.orders)
        await outbox.mark([1, 2, 4, 5], at=it.clock.time())
        assert await outbox.purge(it.clock.time() - 50, batch=2) == 3
        assert [entry.seq for entry in await outbox.past(0, 10)] == [3, 5]


async def test_rows_that_came_late_are_not_lost_where_the_look_for_them_fails(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        own = OwnStorage(it.orders, Gate())
        outbox = Outbox(own)
        brought: list[Entry] = []
        await outbox.begin(it.clock.monotonic, brought.extend)
        for seq in range(2, 202, 2):
            await commit(it, seq, seq)
        assert len(await outbox.after(0, 200)) == 100
        await commit(it, 1, 1)
        own.fault = Fault(2, "before")
        own.fault.arm()
        with pytest.raises(StorageUnavailable):
            await outbox.late()
        await outbox.late()
        assert [entry.seq for entry in brought] == [1]


class Slow(Outbox):
    """Reads rows that were there when it began, and gives them when it is told to."""

    def __init__(self, it: Bed) -> None:
        super().__init__(it.orders)
        self.gate = asyncio.Event()
        self.began = asyncio.Event()

    async def after(self, seq: int, limit: int) -> Sequence[Entry]:
        entries = await super().after(seq, limit)
        self.began.set()
        await self.gate.wait()
        return entries


class Noting(Sink):
    def __init__(self) -> None:
        self.put_ids: list[str] = []

    def put(self, delivery: Delivery, done: Done) -> None:
        self.put_ids.append(delivery.message.id)
        done()

    async def room(self) -> int:
        return 10


async def test_a_row_that_comes_while_those_around_it_are_read_is_put_between_them(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        outbox, sink = Slow(it), Noting()
        sent = {seq: await commit(it, seq, seq, key="a") for seq in (1, 3)}
        feed = Feed(Outlet("x", None, sink), lambda _: True, outbox, settled=lambda _: None)
        running = it.tasks.spawn(feed.run(0))
        await outbox.began.wait()
        sent[2] = await commit(it, 2, 2, key="a")
        feed.late(Entry(2, sent[2]))
        outbox.gate.set()
        await it.clock.settle()
        running.cancel()
        assert sink.put_ids == [sent[seq].id for seq in (1, 2, 3)]


async def test_a_row_that_another_has_waited_for_is_brought_before_that_one(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        outbox, brought = Outbox(it.orders), list[Entry]()
        await outbox.begin(it.clock.monotonic, brought.extend)
        await commit(it, 2, 2)
        assert [entry.seq for entry in await outbox.after(0, 10)] == [2]
        await it.clock.advance(YOUNG_SECONDS + 1)
        await commit(it, 1, 1, key="a")  # its number was taken before, and its lock is free only now
        await commit(it, 3, 3, key="a")
        entries = await outbox.after(2, 10)
        assert [entry.seq for entry in brought] == [1], "before anybody was given the next of its key"
        assert [entry.seq for entry in entries] == [3]
        await outbox.late()
        assert [entry.seq for entry in brought] == [1]
