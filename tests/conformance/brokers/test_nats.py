"""JetStream keeps the port's promises."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Interest
from ramet.events.brokers.nats.broker import NatsBroker
from ramet.testing.engines.nats import NatsEngine
from tests.conformance.brokers.on_engine import OnEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[NatsEngine]:
    with NatsEngine() as running:
        yield running


@pytest.mark.needs("nats")
class TestNatsBroker(OnEngine):
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
