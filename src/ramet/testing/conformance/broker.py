"""The conformance suite of the broker port, for every adapter, ours and others'."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Broker, Deliver, Delivery, Done, Interest, Message, Sink, Subscription
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


class DurableBrokerConformance(BrokerConformance):
    """What a broker with a memory of its own guarantees besides: `connect` reaches the same messages each time.

    >>> class TestMyBroker(DurableBrokerConformance):
    ...     async def connect(self, interests: Collection[Interest] = ()) -> Broker:
    ...         return MyBroker("mine://localhost", interests=interests)
    """

    @abstractmethod
    async def connect(self, interests: Collection[Interest] = ()) -> Broker:
        """A broker that is not open yet, of an application with these consumers."""

    async def crash(self, broker: Broker) -> None:
        """End a broker as kill -9 ends its process; where a test cannot do that, closing it must do."""
        await broker.close()

    @asynccontextmanager
    async def opened(self, interests: Collection[Interest] = ()) -> AsyncIterator[Broker]:
        """One of several brokers, which are open at the same time."""
        broker = await self.connect(interests)
        await broker.open()
        try:
            yield broker
        finally:
            await broker.close()

    async def test_what_was_not_handled_is_delivered_again_after_a_reconnection(self) -> None:
        async with self.connected() as broker:
            tried = Recorder(_never)
            await self.consumer(broker, "billing.note", tried)
            await broker.publish([message(1)])
            await tried.until_attempted(1)
        again: list[bool] = []

        async def noting(delivery: Delivery) -> None:
            again.append(delivery.again)

        recorder = Recorder(noting)
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await recorder.until(1)
        assert again == [True]

    async def test_what_was_handled_is_not_delivered_after_a_reconnection(self) -> None:
        for number in range(2):
            recorder = Recorder()
            async with self.connected() as broker:
                await self.consumer(broker, "billing.note", recorder)
                await broker.publish([message(number, key="k")])
                await recorder.until(1)
            assert [got.id for got in recorder.attempts] == [message(number).id]

    async def test_what_is_published_before_a_declared_consumer_is_there_reaches_it(self) -> None:
        interest = Interest("billing.note", frozenset({"orders.Placed"}))
        async with self.opened([interest]) as publisher:
            await publisher.publish([message(1), message(2, topic="orders.Paid")])
        recorder = Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await recorder.until(1)
        assert [got.id for got in recorder.got] == [message(1).id]

    async def test_processes_that_open_at_the_same_time_agree(self) -> None:
        interest = Interest("billing.note", frozenset({"orders.Placed"}))
        brokers = [await self.connect([interest]) for _ in range(4)]
        await asyncio.gather(*(broker.open() for broker in brokers))
        recorder = Recorder()
        await self.consumer(brokers[0], "billing.note", recorder)
        for number, broker in enumerate(brokers):
            await broker.publish([message(number)])
        await recorder.until(4)
        for broker in brokers:
            await broker.close()
        assert sorted(got.id for got in recorder.got) == [message(number).id for number in range(4)]

    async def test_replicas_share_the_messages(self) -> None:
        team = Recorder()
        one, two = Recorder(team.deliver), Recorder(team.deliver)
        async with self.opened() as first, self.opened() as second:
            await self.consumer(first, "billing.note", one)
            await self.consumer(second, "billing.note", two)
            sent = 0
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (one.got and two.got):
                    await first.publish([message(sent + n, key=f"k{sent + n}") for n in range(20)])
                    sent += 20
            await team.until(sent)
        assert sorted(got.id for got in team.got) == [message(number).id for number in range(sent)]

    async def test_replicas_that_come_and_go_keep_the_order_of_each_key(self) -> None:
        team = Recorder()
        async with self.opened([Interest("billing.note", frozenset({"orders.Placed"}))]) as publisher:
            stream = _Stream(publisher, keys=20)
            publishing = self.tasks.spawn(stream.run())
            async with self.opened() as first:
                await self.consumer(first, "billing.note", team)
                await team.until(50)
                async with self.opened() as second, self.opened() as third:
                    await self.consumer(second, "billing.note", team)
                    await team.until(len(team.got) + 200)
                    await self.consumer(third, "billing.note", team)
                    await team.until(len(team.got) + 200)
            async with self.opened() as last:
                await self.consumer(last, "billing.note", team)
                await team.until(len(team.got) + 200)
                stream.stop()
                await publishing
                await team.until_complete(stream.sent)
        for key in {sent.key for sent in stream.sent}:
            assert first_of_each(team.of_key(key or "")) == [sent.id for sent in stream.sent if sent.key == key]

    async def test_what_a_replica_had_when_it_crashed_goes_to_another_in_order(self) -> None:
        stuck, other = Recorder(_never), Recorder()
        sent = [message(number, key=f"k{number % 5}") for number in range(50)]
        first = await self.connect()
        await first.open()
        await self.consumer(first, "billing.note", stuck)
        await first.publish(sent)
        await stuck.until_attempted(5)
        await self.crash(first)
        async with self.opened() as second:
            await self.consumer(second, "billing.note", other)
            await other.until(50)
        for key in {message.key for message in sent if message.key}:
            assert other.of_key(key) == [message.id for message in sent if message.key == key]

    async def test_a_stuck_consumer_holds_up_no_other_of_the_same_topic(self) -> None:
        quick = Recorder()
        flooded = Counting(self.lanes(Recorder(_never).deliver, capacity=10))
        async with self.connected() as broker:
            await broker.subscribe(Subscription("slow.note", frozenset({"orders.Placed"}), flooded))
            await self.consumer(broker, "quick.note", quick)
            await broker.publish([message(number, key=f"k{number}") for number in range(2000)])
            await quick.until(2000)
            assert flooded.most <= 10


class RestartableBrokerConformance(DurableBrokerConformance):
    """What holds when the broker's server is killed and started again with the same data; `restart` does that."""

    @abstractmethod
    async def kill(self) -> None:
        """Kill the server."""

    @abstractmethod
    async def start(self) -> None:
        """Start it again."""

    async def settle(self) -> None:
        """Called when the consumers are there, before the first kill: for a server that writes down queues late."""

    async def test_events_flow_again_after_the_server_was_killed(self) -> None:
        recorder = Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            stream = _Stream(broker, keys=10)
            publishing = self.tasks.spawn(stream.run())
            await recorder.until(100)
            await self.settle()
            for _ in range(2):
                await recorder.until(len(recorder.got) + 100)
                await self.kill()
                await self.start()
            await recorder.until(len(recorder.got) + 100)
            stream.stop()
            await publishing
            await recorder.until_complete(stream.sent)
        for key in {sent.key for sent in stream.sent}:
            assert first_of_each(recorder.of_key(key or "")) == [sent.id for sent in stream.sent if sent.key == key]

    async def test_without_a_server_nothing_is_taken_for_stored_and_the_outlet_fills_up(self) -> None:
        recorder = Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish([message(number, key=f"first{number}") for number in range(3, 50)])
            await recorder.until(47)
            await self.settle()
            await self.kill()
            stored: list[int] = []
            (outlet,) = broker.outlets()
            for number in range(1, 3):
                outlet.sink.put(Delivery(message(number, key="k")), partial(stored.append, number))
            await asyncio.sleep(0)
            assert not stored
            room = self.tasks.spawn(outlet.sink.room())
            await self.start()
            await room
            await recorder.until(49)
        assert recorder.of_key("k") == [message(1).id, message(2).id]
        assert stored == [1, 2]


class _Stream:
    """Publishes messages with keys in turn, until told to stop."""

    def __init__(self, broker: Broker, *, keys: int) -> None:
        self.sent: list[Message] = []
        self._broker = broker
        self._keys = keys
        self._running = True

    async def run(self) -> None:
        while self._running:
            begin = len(self.sent)
            messages = [message(number, key=f"k{number % self._keys}") for number in range(begin, begin + 20)]
            self.sent += messages
            await self._broker.publish(messages)

    def stop(self) -> None:
        self._running = False


async def _never(_: Delivery) -> float | None:
    return 3600.0


def first_of_each(ids: Sequence[str]) -> list[str]:
    """Without repetitions: at least once may be twice.

    >>> first_of_each(["a", "b", "a", "c"])
    ['a', 'b', 'c']
    """
    return list(dict.fromkeys(ids))


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
