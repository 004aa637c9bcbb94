"""RabbitMQ keeps the port's promises."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Interest
from ramet.events.brokers.rabbitmq.broker import RabbitBroker
from ramet.testing.engines.rabbitmq import RabbitEngine
from tests.conformance.brokers.on_engine import OnEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[RabbitEngine]:
    with RabbitEngine() as running:
        yield running


@pytest.mark.needs("rabbitmq")
class TestRabbitBroker(OnEngine):
    async def connect(self, interests: Collection[Interest] = ()) -> RabbitBroker:
        return RabbitBroker(
            self.engine.url,
            application=self.application,
            clock=SystemClock(),
            spawn=self.tasks.spawn,
            interests=interests,
        )

    async def crash(self, broker: Broker) -> None:
        assert isinstance(broker, RabbitBroker)
        for task in broker._tasks:
            task.cancel()
        assert broker._connection is not None
        await broker._connection.close()

    async def settle(self) -> None:
        """RabbitMQ 3.10 keeps the names of new quorum queues in memory for up to three minutes."""
        await asyncio.to_thread(self.engine.restart)
