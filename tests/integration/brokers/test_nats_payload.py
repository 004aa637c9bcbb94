"""NATS that takes only small messages: packs are as small, and an event that is too large stops no other."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import pytest

from ramet.clock import SystemClock
from ramet.events.base import Delivery, Subscription
from ramet.events.brokers.wire import encode_messages
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import Recorder, message
from ramet.testing.engines.nats import NatsEngine
from tests.integration.brokers.worker import INTEREST, make_broker

pytestmark = pytest.mark.needs("nats")
MOST_BYTES = 16_384


class Narrow(NatsEngine):
    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        prepared = super().prepare()
        with (self.folder / "nats.conf").open("a") as settings:
            settings.write(f"max_payload: {MOST_BYTES}\n")
        return prepared


@pytest.fixture
def engine() -> Iterator[Narrow]:
    with Narrow() as running:
        yield running


async def test_events_travel_where_max_payload_is_small(engine: Narrow, caplog: pytest.LogCaptureFixture) -> None:
    tasks, recorder, stored = Tasks(), Recorder(), list[str]()
    sent = [msgspec.structs.replace(message(number, key="k"), payload=b"x" * 3_000) for number in range(50)]
    large = message(99)
    large = msgspec.structs.replace(large, payload=b"x" * (MOST_BYTES - len(encode_messages([large]))))
    assert len(encode_messages([large])) in range(MOST_BYTES - 10, MOST_BYTES + 1)  # with its header it is too large
    broker = make_broker(engine.url, f"test-{uuid.uuid4().hex}", tasks)
    await broker.open()
    lanes = Lanes(recorder.deliver, spawn=tasks.spawn, clock=SystemClock())
    await broker.subscribe(Subscription(INTEREST.consumer, INTEREST.topics, lanes))
    (outlet,) = broker.outlets()
    with caplog.at_level(logging.WARNING, "ramet.events.nats"):
        outlet.sink.put(Delivery(large), lambda: stored.append(large.id))
        async with asyncio.timeout(30.0):
            await broker.publish(sent)
            await recorder.until(len(sent))
        await broker.close()
    await tasks.stop()
    assert recorder.of_key("k") == [one.id for one in sent]
    assert not stored
    assert [large.id in record.getMessage() for record in caplog.records] == [True]
