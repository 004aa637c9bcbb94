"""JetStream keeps the port's promises."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Interest
from ramet.events.brokers.nats.broker import NatsBroker
from ramet.events.brokers.nats.connection import LAYOUT
from ramet.events.brokers.nats.wire import Layout
from ramet.testing.conformance.broker import PATIENCE_SECONDS, Recorder, message
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

    async def test_events_flow_again_after_the_server_has_refused_the_credentials_for_a_while(self) -> None:
        recorder, settings = Recorder(), self.engine.folder / "nats.conf"
        usual = settings.read_text()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            settings.write_text(usual + 'authorization { user: "other", password: "other" }\n')
            os.kill(self.engine.pid, signal.SIGHUP)
            try:
                await broker._connection.gone.wait()
            finally:
                settings.write_text(usual)
                os.kill(self.engine.pid, signal.SIGHUP)
            await broker.publish([message(1)])
            await recorder.until(1)

    async def test_the_librarys_attempts_to_connect_again_end_with_the_broker(self) -> None:
        async def attempt() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # as `asyncio.wait_for` of Python 3.11 may
                await asyncio.Event().wait()

        async with self.connected() as broker:
            attempting = broker._connection.client._reconnection_task = self.tasks.spawn(attempt())
            await asyncio.sleep(0)
            await broker.close()
            assert attempting.done()

    @pytest.mark.parametrize("kind", ["ramet_{}", "KV_ramet_{}"])
    async def test_what_an_operator_has_deleted_is_made_again(self, kind: str) -> None:
        recorder, name = Recorder(), self.application
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish([message(number) for number in range(20)])
            await recorder.until(20)
            await broker._connection.js.delete_stream(kind.format(name))
            await broker.publish([message(99)])
            await recorder.until_complete([message(99)])
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await broker._connection.get(LAYOUT, Layout) is None:
                    await SystemClock().sleep(0.05)
