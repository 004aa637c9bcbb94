"""JetStream keeps the port's promises."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Collection, Iterator

import nats
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

    @pytest.mark.parametrize("is_running", [True, False], ids=["running", "gone"])
    async def test_a_stream_that_others_have_made_again_is_read_from_its_beginning(self, is_running: bool) -> None:
        interest, recorder = Interest("billing.note", frozenset({"orders.Placed"})), Recorder()
        old, new = ([message(number, key=f"k{number % 9}") for number in range(at, at + 60)] for at in (0, 100))
        reader = await self.connect([interest])
        await reader.open()
        await self.consumer(reader, "billing.note", recorder)
        await reader.publish(old)
        await recorder.until_complete(old)
        if not is_running:
            await reader.close()
        client = await nats.connect(self.engine.url.partition("?")[0])
        await client.jetstream().delete_stream(f"ramet_{self.application}")
        await client.close()
        publisher = await self.connect([interest])
        await publisher.open()
        await publisher.publish(new)
        await publisher.close()
        if not is_running:
            reader = await self.connect([interest])
            await reader.open()
            await self.consumer(reader, "billing.note", recorder)
        await recorder.until_complete(new)
        await reader.close()
        await self.tasks.stop()
