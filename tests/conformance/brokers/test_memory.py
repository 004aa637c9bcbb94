"""The embedded broker keeps the port's promises."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.events.base import Broker
from ramet.events.brokers.memory import MemoryBroker
from ramet.testing.conformance.broker import EmbeddedBrokerConformance, Recorder


class TestMemoryBroker(EmbeddedBrokerConformance):
    async def connect(self) -> Broker:
        return MemoryBroker()

    async def test_a_consumer_subscribes_once(self) -> None:
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", Recorder())
            with pytest.raises(ConfigurationError, match=r"billing\.note subscribes twice"):
                await self.consumer(broker, "billing.note", Recorder())

    async def test_a_consumer_that_comes_too_late_to_miss_nothing_is_refused(self) -> None:
        async with self.connected() as broker:
            broker.outlets({"orders.Placed"})
            with pytest.raises(ConfigurationError, match="subscribe every consumer of every service before"):
                await self.consumer(broker, "billing.note", Recorder())
