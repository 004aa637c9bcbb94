"""Replays where several processes share the database: each dead letter is brought in one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.errors import StorageError
from ramet.events.base import Message
from ramet.events.inbox import Consumer
from ramet.events.lanes import Lanes
from ramet.events.letters import Replay
from ramet.events.policy import Retries
from ramet.events.replays import LOOK_EVERY_SECONDS, Replays
from ramet.storage.leases import BEAT_SECONDS, Leases
from tests.unit.events.bed import Bed, bed


async def process(it: Bed, tried: list[str], name: str) -> Leases:
    """One more process, whose handler fails."""

    async def act(_: Message) -> None:
        tried.append(name)
        raise RuntimeError("broken")

    leases = Leases(it.billing, clock=it.clock, spawn=it.tasks.spawn)
    consumer = Consumer(
        "billing.note",
        it.noting("billing.note", act),
        storage=it.billing,
        clock=it.clock,
        retries=Retries(attempts=1),
    )
    lanes = Lanes(consumer.deliver, spawn=it.tasks.spawn, clock=it.clock)
    replays = Replays(consumer.letters, lanes, clock=it.clock, spawn=it.tasks.spawn)
    replays.share(leases)
    await leases.join()
    replays.start()
    it.consumers[name] = consumer, lanes, replays
    await it.clock.settle()
    return leases


async def test_a_replay_is_tried_in_one_process_and_in_another_when_that_has_gone(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        tried: list[str] = []
        it.operations._replay_due = None
        first = await process(it, tried, "first")
        await process(it, tried, "other")
        consumer = it.consumers["first"][0]
        await consumer.letters.bury(it.message(1), attempts=1, error="broken", at=1.0)
        assert await it.operations.replay("billing.note") == 1
        await it.clock.advance(0.1)
        assert tried == ["first"]
        await it.clock.advance(2 * LOOK_EVERY_SECONDS)
        assert tried == ["first"]
        await it.consumers["first"][2].stop()
        await first.leave()
        await it.clock.advance(BEAT_SECONDS)
        await it.operations.replay("billing.note")
        await it.clock.advance(0.1)
        assert tried == ["first", "other"]


@pytest.mark.parametrize("failure", [StorageError("it is away"), RuntimeError("the driver is at its wits' end")])
async def test_what_could_not_be_read_is_brought_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    async with bed(tmp_path) as it:
        tried: list[str] = []
        await process(it, tried, "first")
        letters = it.consumers["first"][0].letters
        await letters.bury(it.message(1), attempts=1, error="broken", at=1.0)

        async def fail(_: int) -> list[Replay]:
            raise failure

        with monkeypatch.context() as context:
            context.setattr(letters, "replays", fail)
            it.operations._replay_due = None
            await it.operations.replay("billing.note")
            await it.clock.advance(1)
        await it.clock.advance(LOOK_EVERY_SECONDS)
        assert tried == ["first"]
