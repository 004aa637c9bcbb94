"""The conformance suite of the broker port, for every adapter, ours and others'."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Deliver, Delivery, Done, Message, Sink, Subscription
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks

PATIENCE_SECONDS = 30.0


def message(number: int, *, key: str | None = None, topic: str = "orders.Placed") -> Message:
    """A small message whose payload is its number."""
    return Message(id=f"{topic}-{number:05d}", topic=topic, key=key, payload=str(number).encode())


class Recorder:
    """A handler that keeps what it got; `reaction` decides how an attempt ends."""

    def __init__(self, reaction: Callable[[Delivery], Awaitable[float | None]] | None = None) -> None:
        self.got: list[Message] = []
        self.attempts: list[Message] = []
        self._reaction = reaction
        self._changed = asyncio.Event()

    async def deliver(self, delivery: Delivery) -> float | None:
        self.attempts.append(delivery.message)
        pause = await self._reaction(delivery) if self._reaction is not None else None
        if pause is None:
            self.got.append(delivery.message)
        self._changed.set()
        return pause

    async def until(self, count: int) -> None:
        """Wait until so many were handled."""
        await self._until(lambda: len(self.got) >= count)

    async def until_attempted(self, count: int) -> None:
        """Wait until so many attempts were made."""
        await self._until(lambda: len(self.attempts) >= count)

    async def until_complete(self, sent: Sequence[Message]) -> None:
        """Wait until each of these was handled at least once."""
        wanted = {message.id for message in sent}
        await self._until(lambda: wanted <= {message.id for message in self.got})

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reached():
                self._changed.clear()
                await self._changed.wait()

    def of_key(self, key: str) -> list[str]:
        """The ids handled of one key, in order."""
        return [message.id for message in self.got if message.key == key]


class Counting(Sink):
    """Lanes that remember how many messages were there at most."""

    def __init__(self, lanes: Lanes) -> None:
        self.most = 0
        self._lanes = lanes

    def put(self, delivery: Delivery, done: Done) -> None:
        self._lanes.put(delivery, done)
        self.most = max(self.most, self._lanes.pending)

    async def room(self) -> int:
        return await self._lanes.room()


@pytest.mark.asyncio
class BrokerConformance(ABC):
    """What every broker guarantees. A subclass named `Test…` says how to connect:

    >>> class TestMyBroker(BrokerConformance):
    ...     async def connect(self) -> Broker:
    ...         return MyBroker("mine://localhost")
    """

    def setup_method(self) -> None:
        self.tasks = Tasks()

    @abstractmethod
    async def connect(self) -> Broker:
        """A broker that is not open yet."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Broker]:
        """An open broker, closed afterwards."""
        broker = await self.connect()
        await broker.open()
        try:
            yield broker
        finally:
            await broker.close()
            await self.tasks.stop()

    def lanes(self, deliver: Deliver, *, concurrency: int = 10, capacity: int = 1000) -> Lanes:
        """A consumer's lanes on the machine's clock."""
        return Lanes(deliver, spawn=self.tasks.spawn, clock=SystemClock(), concurrency=concurrency, capacity=capacity)

    async def consumer(
        self, broker: Broker, name: str, recorder: Recorder, *, topics: Sequence[str] = ("orders.Placed",)
    ) -> None:
        """Subscribe a recorder."""
        await broker.subscribe(Subscription(name, frozenset(topics), self.lanes(recorder.deliver)))

    async def test_a_message_arrives_as_it_was(self) -> None:
        sent = Message(
            id="1",
            topic="orders.Placed",
            key="käse/1 & 2",
            version=3,
            payload=bytes(range(256)),
            headers={"trace": "t", "baggage.größe": "übergroß"},
            at=1234.5,
        )
        recorder = Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish([sent])
            await recorder.until(1)
        assert recorder.got == [sent]

    async def test_every_consumer_gets_the_messages_of_its_topics(self) -> None:
        placed, both = Recorder(), Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", placed)
            await self.consumer(broker, "mail.tell", both, topics=("orders.Placed", "orders.Paid"))
            await broker.publish([message(1), message(2, topic="orders.Paid"), message(3, topic="orders.Lost")])
            await placed.until(1)
            await both.until(2)
        assert [got.id for got in placed.got] == ["orders.Placed-00001"]
        assert {got.id for got in both.got} == {"orders.Placed-00001", "orders.Paid-00002"}

    async def test_order_is_kept_for_each_key(self) -> None:
        async def yielding(delivery: Delivery) -> None:
            for _ in range(int(delivery.message.payload) % 3):
                await asyncio.sleep(0)

        recorder = Recorder(yielding)
        sent = [message(number, key=f"k{number % 7}") for number in range(200)]
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish(sent)
            await recorder.until(200)
        for key in {message.key for message in sent if message.key}:
            assert recorder.of_key(key) == [message.id for message in sent if message.key == key]

    async def test_order_is_kept_across_retries_and_other_keys_go_on(self) -> None:
        repaired = asyncio.Event()

        async def failing(delivery: Delivery) -> float | None:
            return 0.01 if delivery.message.key == "poison" and not repaired.is_set() else None

        recorder = Recorder(failing)
        sent = [message(number, key="poison" if number % 2 else "good") for number in range(10)]
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            publishing = self.tasks.spawn(broker.publish(sent))
            await recorder.until(5)
            await recorder.until_attempted(6)
            assert {got.key for got in recorder.got} == {"good"}
            assert {tried.id for tried in recorder.attempts if tried.key == "poison"} == {"orders.Placed-00001"}
            repaired.set()
            await recorder.until(10)
            await publishing
        assert recorder.of_key("poison") == [message.id for message in sent if message.key == "poison"]

    async def test_messages_without_a_key_are_handled_side_by_side(self) -> None:
        together = asyncio.Event()
        inside = 0

        async def meeting(_: Delivery) -> None:
            nonlocal inside
            inside += 1
            if inside == 3:
                together.set()
            await together.wait()

        recorder = Recorder(meeting)
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish([message(number) for number in range(3)])
            await recorder.until(3)

    async def test_a_stuck_consumer_holds_up_nobody_and_is_not_flooded(self) -> None:
        release = asyncio.Event()

        async def stuck(_: Delivery) -> None:
            await release.wait()

        slow, quick = Recorder(stuck), Recorder()
        flooded = Counting(self.lanes(slow.deliver, capacity=10))
        async with self.connected() as broker:
            await broker.subscribe(Subscription("slow.note", frozenset({"orders.Slow"}), flooded))
            await self.consumer(broker, "quick.note", quick, topics=("orders.Quick",))
            stream = self.tasks.spawn(broker.publish([message(n, topic="orders.Slow") for n in range(100)]))
            await broker.publish([message(number, topic="orders.Quick") for number in range(100)])
            await quick.until(100)
            assert flooded.most <= 10
            release.set()
            await slow.until(100)
            await stream


class EmbeddedBrokerConformance(BrokerConformance):
    """What a broker without a memory guarantees besides: it answers for nothing that is not handled."""

    async def test_what_is_not_handled_is_not_acknowledged(self) -> None:
        release, acknowledged = asyncio.Event(), asyncio.Event()

        async def waiting(_: Delivery) -> None:
            await release.wait()

        recorder = Recorder(waiting)
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            (outlet,) = broker.outlets()
            outlet.sink.put(Delivery(message(1)), acknowledged.set)
            await asyncio.sleep(0)
            assert not acknowledged.is_set()
            release.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await acknowledged.wait()
        assert [got.id for got in recorder.got] == [message(1).id]
