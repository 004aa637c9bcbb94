"""JetStream keeps the port's promises."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Interest
from ramet.events.brokers.nats.broker import NatsBroker
from ramet.testing.conformance.broker_durable import RestartableBrokerConformance
from ramet.testing.engines.nats import NatsEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[NatsEngine]:
    with NatsEngine() as running:
        yield running


@pytest.mark.needs("nats")
class TestNatsBroker(RestartableBrokerConformance):
    @pytest.fixture(autouse=True)
    def _engine(self, engine: NatsEngine) -> None:
        self.engine = engine
        self.application = f"test-{uuid.uuid4().hex}"

    async def connect(self, interests: Collection[Interest] = ()) -> NatsBroker:
        return NatsBroker(
            self.engine.url,
            application=self.application,
            clock=SystemClock(),
            spawn=self.tasks.spawn,
            interests=interests,
        )

    async def crash(self, broker: Broker) -> None:
        assert isinstance(broker, NatsBroker)
        for task in broker._tasks:
            task.cancel()
        await broker._connection.close()

    async def kill(self) -> None:
        await asyncio.to_thread(self.engine.kill)

    async def start(self) -> None:
        await asyncio.to_thread(self.engine.start)
