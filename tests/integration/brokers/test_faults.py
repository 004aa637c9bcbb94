"""A connection that ends at any one of the pieces of a short life: all is delivered, in order, and nothing stays."""

from __future__ import annotations

import asyncio
import gc
import uuid
from functools import partial
from itertools import cycle
from typing import Any

import pytest
import uvloop

from ramet.clock import SystemClock
from ramet.events.base import Delivery, Subscription
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import Recorder, message
from ramet.testing.conformance.broker_durable import first_of_each
from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.integration.brokers.test_connections import ANSWERED, PATIENCE_SECONDS, SENT, Line
from tests.integration.brokers.worker import INTEREST, make_broker

EVENTS = [message(number, key=f"k{number % 5}") for number in range(40)]
AT_ONCE = 8


class Faulty(Line):
    """Ends a connection instead of passing on the piece of this number on this way."""

    def __init__(self, url: str, way: str, number: int) -> None:
        super().__init__(url)
        self.way = way
        self.left = number

    def carries(self, way: str) -> bool:
        self.left -= way == self.way
        return not (way == self.way and self.left == 0)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        pytest.param(NatsEngine, range(2, 38), marks=pytest.mark.needs("nats"), id="nats"),
        pytest.param(RabbitEngine, range(3, 84, 9), marks=pytest.mark.needs("rabbitmq"), id="rabbitmq"),
        pytest.param(RedisEngine, range(1, 38), marks=pytest.mark.needs("redis"), id="redis"),
    ],
)
def test_whatever_piece_a_connection_ends_at(kind: type[Any], numbers: range) -> None:
    with kind() as engine, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_lives(engine.url, numbers))


async def _lives(url: str, numbers: range) -> None:
    """One for each number, several at a time; nothing of them stays."""
    strays: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strays.append(str(context)))
    gate, before = asyncio.Semaphore(AT_ONCE), asyncio.all_tasks()
    async with asyncio.TaskGroup() as lives:
        for number, way in zip(numbers, cycle((SENT, ANSWERED)), strict=False):
            lives.create_task(_live(url, Faulty(url, way, number), gate))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while others := asyncio.all_tasks() - before:
            await asyncio.wait(others)
    gc.collect()
    assert not strays


async def _live(url: str, line: Faulty, gate: asyncio.Semaphore) -> None:
    """Open, subscribe, publish, handle, one in eight at its second attempt, and close."""
    tasks, handled, stored, tried = Tasks(), (Recorder(), Recorder()), asyncio.Queue[int](), set[str]()

    async def react(delivery: Delivery) -> float | None:
        is_again = delivery.message.id in tried
        tried.add(delivery.message.id)
        return None if is_again or int(delivery.message.payload) % 8 else 0.01

    handled[1]._reaction = react
    async with gate, asyncio.timeout(PATIENCE_SECONDS), line.laid(url) as reached:
        address = f"{reached}{'&' if '?' in reached else '?'}partitions=2"
        broker = make_broker(address, f"test-{uuid.uuid4().hex}", tasks)
        await broker.open()
        for name, recorder in zip((INTEREST.consumer, "mail.tell"), handled, strict=True):
            lanes = Lanes(recorder.deliver, spawn=tasks.spawn, clock=SystemClock())
            await broker.subscribe(Subscription(name, INTEREST.topics, lanes))
        (outlet,) = broker.outlets()
        for number, event in enumerate(EVENTS):
            await outlet.sink.room()
            outlet.sink.put(Delivery(event), partial(stored.put_nowait, number))
        assert sorted([await stored.get() for _ in EVENTS]) == list(range(len(EVENTS)))
        for recorder in handled:
            await recorder.until_complete(EVENTS)
            for key in {event.key for event in EVENTS}:
                wanted = [event.id for event in EVENTS if event.key == key]
                assert first_of_each(recorder.of_key(key or "")) == wanted
        await broker.close()
    assert stored.empty()
    await tasks.stop()
