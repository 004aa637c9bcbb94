"""Redis Streams keep the port's promises."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Interest
from ramet.events.brokers.redis.broker import RedisBroker
from ramet.testing.engines.redis import RedisEngine
from tests.conformance.brokers.on_engine import OnEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[RedisEngine]:
    with RedisEngine() as running:
        yield running


@pytest.mark.needs("redis")
class TestRedisBroker(OnEngine):
    async def connect(self, interests: Collection[Interest] = ()) -> RedisBroker:
        return RedisBroker(
            self.engine.url,
            application=self.application,
            clock=SystemClock(),
            spawn=self.tasks.spawn,
            interests=interests,
        )

    async def crash(self, broker: Broker) -> None:
        assert isinstance(broker, RedisBroker)
        for task in broker._tasks:
            task.cancel()
        await broker._hang_up()
        for reading in broker._readings.values():
            await reading._line.hang_up()
