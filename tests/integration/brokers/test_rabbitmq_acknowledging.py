"""RabbitMQ hangs up while much is acknowledged: what comes later is acknowledged, too, and so there is no end to it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from itertools import count

import pytest

from ramet.events.base import Delivery, Done, Sink, Subscription
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import message
from ramet.testing.engines.rabbitmq import RabbitEngine
from tests.integration.brokers.test_connections import Line
from tests.integration.brokers.worker import INTEREST, make_broker

pytestmark = pytest.mark.needs("rabbitmq")
PATIENCE_SECONDS = 40.0
PREFETCH = 100


class Hand(Sink, logging.Handler):
    """Holds the first `hold` messages until the library tells that its connection has ended, and no other."""

    def __init__(self) -> None:
        super().__init__()
        self.hold = PREFETCH // 2
        self.got: set[str] = set()
        self._held: list[Done] = []
        self._changed = asyncio.Event()

    def put(self, delivery: Delivery, done: Done) -> None:
        self.got.add(delivery.message.id)
        self._changed.set()
        if self.hold:
            self.hold -= 1
            self._held.append(done)
        else:
            done()

    async def room(self) -> int:
        return PREFETCH

    def emit(self, record: logging.LogRecord) -> None:
        held, self._held = self._held, []
        for done in held:
            done()

    async def until(self, size: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.got) < size:
                self._changed.clear()
                await self._changed.wait()


async def test_acknowledgements_under_way_when_the_connection_goes_keep_none_after_them_waiting(
    request: pytest.FixtureRequest,
) -> None:
    tasks, hand, numbers, library = Tasks(), Hand(), count(), logging.getLogger("aiormq.connection")
    library.addHandler(hand)
    request.addfinalizer(lambda: library.removeHandler(hand))
    with RabbitEngine() as engine:
        line = Line(engine.url)
        async with line.laid(f"{engine.url}?partitions=1&prefetch={PREFETCH}") as url:
            broker = make_broker(url, f"test-{uuid.uuid4().hex}", tasks)
            await broker.open()
            await broker.subscribe(Subscription(INTEREST.consumer, INTEREST.topics, hand))
            await broker.publish([message(next(numbers)) for _ in range(hand.hold)])
            await hand.until(PREFETCH // 2)
            await line.cut(refusing=0)
            await broker.publish([message(next(numbers)) for _ in range(2 * PREFETCH)])
            await hand.until(PREFETCH // 2 + 2 * PREFETCH)
            await broker.close()
    await tasks.stop()
