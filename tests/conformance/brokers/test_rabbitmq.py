"""RabbitMQ keeps the port's promises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Delivery, Interest
from ramet.events.brokers.rabbitmq.broker import RabbitBroker
from ramet.events.brokers.rabbitmq.reading import Queue
from ramet.testing.conformance.broker import PATIENCE_SECONDS, Recorder, message
from ramet.testing.engines.rabbitmq import RabbitEngine
from tests.conformance.brokers.on_engine import OnEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[RabbitEngine]:
    with RabbitEngine() as running:
        yield running


@pytest.mark.needs("rabbitmq")
class TestRabbitBroker(OnEngine):
    keeps_the_past = False

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
        assert broker._consuming is not None
        await broker._consuming.close()

    async def settle(self) -> None:
        """RabbitMQ 3.10 keeps the names of new quorum queues in memory for up to three minutes."""
        await asyncio.to_thread(self.engine.restart)

    async def test_a_queue_that_an_operator_has_deleted_is_declared_again(self) -> None:
        recorder = Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish([message(1)])
            await recorder.until(1)
            names = [broker._names.queue("billing.note", number) for number in range(broker._options.partitions)]
            readings = broker._readings["billing.note"]
            before = {queue.channel for queue in readings._queues.values()}
            for name in names:
                await broker._beating.queue_delete(name)
            await self._until(lambda: self._read_anew(readings._queues.values(), before))
            await broker.publish([message(2)])
            await recorder.until_complete([message(2)])

    @staticmethod
    def _read_anew(queues: Collection[Queue], before: Collection[object]) -> bool:
        return len(queues) == 4 and all(queue.tag and queue.channel not in before for queue in queues)

    async def test_what_waits_is_handled_while_there_is_no_memory_for_more(self) -> None:
        room = asyncio.Event()

        async def wait(_: Delivery) -> None:
            await room.wait()

        recorder, sent = Recorder(wait), [message(number) for number in range(6)]
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish(sent[:5])
            await self._until(lambda: len(recorder.attempts) == 5)
            await self._control("set_vm_memory_high_watermark", "0.000001")
            try:
                await self._until(lambda: broker._is_blocked)
                publishing = self.tasks.spawn(broker.publish(sent[5:]))
                room.set()
                await recorder.until(5)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while await self._waiting():
                        pass
                assert len(recorder.got) == 5
            finally:
                await self._control("set_vm_memory_high_watermark", "0.4")
            await publishing
            await recorder.until_complete(sent)

    async def _waiting(self) -> int:
        """How many messages are in the queues of this application."""
        rows = (await self._control("list_queues", "name", "messages", "--no-table-headers")).splitlines()
        return sum(int(row.split()[1]) for row in rows if self.application in row)

    async def _control(self, *arguments: str) -> str:
        said: str = await asyncio.to_thread(self.engine.control, *arguments)
        return said

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await SystemClock().sleep(0.05)
