"""RabbitMQ keeps the port's promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Interest
from ramet.events.brokers.rabbitmq.broker import RabbitBroker
from ramet.testing.conformance.broker_durable import RestartableBrokerConformance
from ramet.testing.engines.rabbitmq import RabbitEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[RabbitEngine]:
    with RabbitEngine() as running:
        yield running


@pytest.mark.needs("rabbitmq")
class TestRabbitBroker(RestartableBrokerConformance):
    @pytest.fixture(autouse=True)
    def _engine(self, engine: RabbitEngine) -> None:
        self.engine = engine
        self.application = f"test-{uuid.uuid4().hex}"

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

    async def kill(self) -> None:
        await asyncio.to_thread(self.engine.kill)

    async def start(self) -> None:
        await asyncio.to_thread(self.engine.start)

    async def settle(self) -> None:
        """RabbitMQ 3.10 keeps the names of new quorum queues in memory for up to three minutes."""
        await asyncio.to_thread(self.engine.restart)
