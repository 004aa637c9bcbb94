"""JetStream keeps the port's promises."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker
from ramet.events.brokers.nats.broker import NatsBroker
from ramet.testing.conformance.broker import DurableBrokerConformance
from ramet.testing.engines.nats import NatsEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[NatsEngine]:
    with NatsEngine() as running:
        yield running


@pytest.mark.needs("nats")
class TestNatsBroker(DurableBrokerConformance):
    @pytest.fixture(autouse=True)
    def _engine(self, engine: NatsEngine) -> None:
        self.engine = engine
        self.application = f"test-{uuid.uuid4().hex}"

    async def connect(self) -> Broker:
        return NatsBroker(self.engine.url, application=self.application, clock=SystemClock(), spawn=self.tasks.spawn)
