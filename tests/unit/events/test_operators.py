"""What operators see and do with events, and what replays guarantee."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.errors import NotFound
from ramet.events.base import Delivery, Message
from ramet.events.operators import EventCounts
from ramet.events.policy import Retries
from ramet.telemetry.scope import current_scope
from tests.unit.events.bed import Bed, bed, numbers


class Fault:
    """An act that fails while it is not mended, and notes the keys it ran under."""

    def __init__(self) -> None:
        self.mended = False
        self.keys: list[str | None] = []

    async def __call__(self, _: Message) -> None:
        scope = current_scope.get()
        self.keys.append(scope.key if scope is not None else None)
        if not self.mended:
            raise RuntimeError("broken")


ONCE = Retries(attempts=1)


async def buried(it: Bed, count: int, *, key: str | None = None) -> tuple[Fault, list[str]]:
    """So many dead letters of billing.note."""
    fault = Fault()
    await it.subscribe(fault, retries=ONCE)
    await it.start()
    ids = await it.publish(*numbers(count), key=key)
    await it.drain()
    return fault, ids


async def test_events_are_listed_where_they_are(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.publish(1, key="a")
        await it.publish(2, key="b")
        waiting = await it.operations.waiting()
        assert [(event.service, event.topic, event.key) for event in waiting] == [
            ("orders", "orders.Placed", "a"),
            ("orders", "orders.Placed", "b"),
        ]
        assert [event.key for event in await it.operations.waiting(key="b")] == ["b"]
        assert await it.operations.waiting(topic="orders.Lost") == []
        assert await it.operations.waiting(service="billing") == []
        assert await it.operations.counts() == [
            EventCounts(service="orders", waiting=2, retrying=0, dead=0),
            EventCounts(service="billing", waiting=0, retrying=0, dead=0),
        ]
        with pytest.raises(NotFound, match=r"no service shipping .* there are orders, billing"):
            await it.operations.waiting(service="shipping")


async def test_what_is_tried_again_is_listed_with_its_error_and_time(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe(Fault())
        await it.start()
        await it.publish(1, key="a")
        await it.clock.advance(1)
        (retrying,) = await it.operations.retrying(consumer="billing.note", key="a")
        assert retrying.error == "RuntimeError: broken"
        assert retrying.attempts > 1
        assert retrying.next_at > it.clock.time() > retrying.since


async def test_a_dead_letter_is_shown_with_its_content(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        _, (event_id,) = await buried(it, 1, key="a")
        (content,) = await it.operations.show(event_id)
        assert (content.payload, content.version, content.headers) == ("1", 1, {})
        assert (content.letter.consumer, content.letter.error) == ("billing.note", "RuntimeError: broken")
        with pytest.raises(NotFound, match="nonsense is no dead letter: `ramet events list`"):
            await it.operations.show("nonsense")


async def test_a_replayed_letter_is_handled_and_gone(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        fault, (event_id,) = await buried(it, 1)
        fault.mended = True
        assert await it.operations.replay("billing.note", event_id) == 1
        await it.noted(1)
        assert await it.operations.dead() == []
        with pytest.raises(NotFound):
            await it.operations.replay("billing.note", event_id)


async def test_all_letters_of_a_consumer_are_replayed_in_order(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        fault, _ = await buried(it, 300, key="a")
        fault.mended = True
        assert await it.operations.replay("billing.note") == 300
        await it.noted(300)
        assert await it.notes() == list(numbers(300))
        assert await it.operations.dead() == []
        assert await it.operations.replay("billing.note") == 0


async def test_a_replay_that_fails_is_a_dead_letter_again_with_its_attempts_added(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        _, (event_id,) = await buried(it, 1)
        await it.operations.replay("billing.note", event_id)
        await it.clock.advance(1)
        (letter,) = await it.operations.dead()
        assert (letter.attempts, letter.replaying) == (2, False)


async def test_a_replay_has_the_same_command_keys_unless_new_ones_are_asked_for(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        fault, (event_id,) = await buried(it, 1)
        for new_keys in (False, True):
            await it.operations.replay("billing.note", event_id, new_keys=new_keys)
            await it.clock.advance(1)
        assert fault.keys == [f"billing.note/{event_id}"] * 2 + [f"billing.note/{event_id}/1"]


async def test_a_replay_asked_for_before_a_crash_is_done_after_it(tmp_path: Path) -> None:
    crashed = Bed(tmp_path)
    await crashed.open()
    _, (event_id,) = await buried(crashed, 1)
    await crashed.abandon()
    asked = Bed(tmp_path)
    await asked.open()
    asked.operations._replay_due = None
    await asked.operations.replay("billing.note", event_id)
    await asked.abandon()
    async with bed(tmp_path) as it:
        await it.subscribe()
        await it.start()
        await it.noted(1)
        assert await it.operations.dead() == []


async def test_a_replay_that_is_delivered_twice_is_handled_once(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        fault, (event_id,) = await buried(it, 1)
        fault.mended = True
        consumer, _, _ = it.consumers["billing.note"]
        await it.operations.replay("billing.note", event_id)
        (replay,) = await consumer.letters.replays(10)
        await it.noted(1)
        assert await consumer.deliver(Delivery(replay.message, renewals=replay.renewals)) is None
        assert await it.notes() == [1]


async def test_another_process_may_ask_for_a_replay(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        fault, _ = await buried(it, 1)
        fault.mended = True
        it.operations._replay_due = None
        await it.operations.replay("billing.note")
        await it.clock.advance(31)
        assert await it.notes() == [1]


async def test_discarded_letters_are_gone_and_not_delivered_again(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        fault, (event_id, _) = await buried(it, 2)
        fault.mended = True
        assert await it.operations.discard("billing.note", event_id) == 1
        assert await it.operations.discard("billing.note") == 1
        assert await it.operations.dead() == []
        with pytest.raises(NotFound):
            await it.operations.discard("billing.note", event_id)
        with pytest.raises(NotFound, match="no service shipping"):
            await it.operations.discard("shipping.note")
        await it.clock.advance(60)
        assert await it.notes() == []
