"""The relay: everything committed reaches every consumer, in order for each key, however slow somebody is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Message
from ramet.events.moments import Outcome
from ramet.events.policy import Retries
from ramet.storage.tables import RETENTION_SECONDS
from tests.unit.events.bed import Bed, bed, numbers


async def test_what_is_committed_is_handled_by_every_consumer_and_marked_as_sent(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe(method="note")
        await it.subscribe(method="tell")
        await it.start()
        await it.publish(1, 2, key="a")
        await it.clock.advance(1)
        assert await it.notes(consumer="billing.note") == [1, 2]
        assert await it.notes(consumer="billing.tell") == [1, 2]
        assert await it.unsent() == 0


async def test_what_is_rolled_back_is_never_delivered(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        await it.start()
        work = it.orders.unit()
        work.after_commit(it.relay.wake)
        await work.rollback()
        await it.clock.advance(1)
        assert await it.notes() == []


async def test_what_nobody_subscribes_to_is_marked_and_kept(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.start()
        await it.publish(1, topic="orders.Lost")
        await it.clock.advance(1)
        assert await it.unsent() == 0
        assert len(await it.orders.fetch("SELECT 1 FROM ramet_outbox")) == 1


async def test_what_nobody_wants_may_be_written_as_sent_once_the_consumers_are_known(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        assert it.relay.wants("orders.Lost")
        await it.start()
        assert not it.relay.wants("orders.Lost")
        assert it.relay.wants(it.message(1).topic)


async def test_what_was_not_sent_before_a_crash_is_sent_after_it(tmp_path: Path) -> None:
    crashed = Bed(tmp_path)
    await crashed.open()
    await crashed.publish(*numbers(20), key="a")
    await crashed.abandon()
    async with bed(tmp_path) as it:
        await it.subscribe()
        await it.start()
        await it.clock.advance(1)
        assert await it.notes() == list(numbers(20))


async def test_a_lost_mark_costs_a_redelivery_and_no_second_handling(tmp_path: Path) -> None:
    crashed = Bed(tmp_path)
    await crashed.open()
    await crashed.subscribe()
    await crashed.start()
    await crashed.publish(1, 2)
    await crashed.clock.settle()
    assert sorted(await crashed.notes()) == [1, 2]
    await crashed.abandon()
    async with bed(tmp_path) as it:
        assert await it.unsent() == 2
        await it.subscribe()
        await it.start()
        await it.clock.advance(1)
        assert sorted(await it.notes()) == [1, 2]
        assert [attempt.outcome for attempt in it.attempts] == [Outcome.KNOWN, Outcome.KNOWN]
        assert await it.unsent() == 0


async def test_a_slow_consumer_holds_up_nobody_else(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def wait(_: Message) -> None:
        await release.wait()

    async with bed(tmp_path) as it:
        await it.subscribe(wait, method="slow", capacity=10)
        await it.subscribe(method="quick")
        await it.start()
        await it.publish(*numbers(500))
        await it.clock.advance(1)
        assert len(await it.notes(consumer="billing.quick")) == 500
        assert it.consumers["billing.slow"][1].pending <= 10
        assert await it.unsent() == 500
        release.set()
        await it.clock.advance(1)
        assert len(await it.notes(consumer="billing.slow")) == 500
        assert await it.unsent() == 0


async def test_a_stuck_key_passes_its_rows_over_and_gets_them_in_order_later(tmp_path: Path) -> None:
    broken = True

    async def fail(message: Message) -> None:
        if broken and message.key == "stuck":
            raise RuntimeError("not yet")

    async with bed(tmp_path) as it:
        await it.subscribe(fail, capacity=200, retries=Retries(attempts=1000))
        await it.start()
        await it.publish(*numbers(400), key="stuck")
        await it.publish(*numbers(100), key="free")
        await it.clock.advance(1)
        assert await it.notes(key="free") == list(numbers(100))
        assert await it.notes(key="stuck") == []
        assert it.consumers["billing.note"][1].pending < 200
        broken = False
        await it.publish(401, 402, key="stuck")
        await it.drain()
        assert await it.notes(key="stuck") == list(numbers(402))
        assert await it.unsent() == 0


async def test_memory_is_bounded_however_much_waits(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.publish(*numbers(10_000))
        await it.subscribe(capacity=100)
        await it.start()
        most = 0

        async def all_handled() -> bool:
            nonlocal most
            most = max(most, it.consumers["billing.note"][1].pending, len(it.relay._outbox._recent))
            return await it.unsent() == 0

        await it.until(all_handled)
        assert sorted(await it.notes()) == list(numbers(10_000))
        assert most <= 1000


async def test_old_events_are_removed_once_they_are_sent(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.start()
        await it.publish(*numbers(10))
        await it.clock.advance(RETENTION_SECONDS - 10)
        await it.publish(11)
        assert len(await it.orders.fetch("SELECT 1 FROM ramet_outbox")) == 11
        await it.clock.advance(7200)
        assert await it.orders.fetch("SELECT payload FROM ramet_outbox") == [(b"11",)]


@pytest.mark.parametrize("subscribed_before", [False, True])
async def test_a_consumer_added_later_gets_the_retained_past_once(tmp_path: Path, subscribed_before: bool) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe(method="first")
        if subscribed_before:
            await it.subscribe(method="late", retained=True)
        await it.start()
        await it.publish(*numbers(30), key="a")
        await it.drain()
    async with bed(tmp_path) as it:
        await it.subscribe(method="late", retained=True)
        await it.start()
        await it.publish(31, 32, key="a")
        await it.noted(32, consumer="billing.late")
        await it.drain()
        assert await it.notes(consumer="billing.late") == list(numbers(32))
        assert await it.billing.fetch("SELECT position FROM ramet_subscription WHERE consumer = 'billing.late'") == [
            (None,)
        ]
    async with bed(tmp_path) as it:
        await it.subscribe(method="late", retained=True)
        await it.start()
        await it.clock.advance(1)
        assert await it.notes(consumer="billing.late") == list(numbers(32))
        assert it.attempts == []


async def test_a_consumer_that_begins_with_now_gets_nothing_that_was_sent(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe(method="first")
        await it.start()
        await it.publish(1)
        await it.clock.advance(1)
    async with bed(tmp_path) as it:
        await it.subscribe(method="late")
        await it.start()
        await it.publish(2)
        await it.clock.advance(1)
        assert await it.notes(consumer="billing.late") == [2]


async def test_reading_the_past_goes_on_after_a_crash(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.start()
        await it.publish(*numbers(3000), key="a")
        await it.clock.advance(1)
        assert await it.unsent() == 0

    async def some(message: Message) -> None:
        if int(message.payload) == 1500:
            await asyncio.Event().wait()

    crashed = Bed(tmp_path)
    await crashed.open()
    await crashed.subscribe(some, retained=True)
    await crashed.start()
    async with asyncio.timeout(20):  # what is handled together is given up for the one that hangs, in the loop's time
        while len(await crashed.notes()) < 1499:
            await crashed.clock.advance(0.01)
            await SystemClock().sleep(0.001)
    assert await crashed.notes() == list(numbers(1499))
    position = (await crashed.billing.fetch("SELECT position FROM ramet_subscription"))[0][0]
    assert 0 < position < 1500
    await crashed.abandon()
    async with bed(tmp_path) as it:
        await it.subscribe(retained=True)
        await it.start()
        await it.noted(3000)
        assert await it.notes() == list(numbers(3000))
