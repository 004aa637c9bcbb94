"""The conformance suite for brokers with a memory of their own: reconnections, replicas, servers that are killed."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

from ramet.events.base import Broker, Delivery, Interest, Message, Subscription
from ramet.testing.conformance.broker import PATIENCE_SECONDS, BrokerConformance, Counting, Recorder, message


class DurableBrokerConformance(BrokerConformance):
    """What a broker with a memory of its own guarantees besides: `connect` reaches the same messages each time.

    >>> class TestMyBroker(DurableBrokerConformance):
    ...     async def connect(self, interests: Collection[Interest] = ()) -> Broker:
    ...         return MyBroker("mine://localhost", interests=interests)
    """

    keeps_the_past = True
    """Whether a consumer may begin with what was published before it existed; set it to False where it may not."""

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

    async def test_a_consumer_of_a_later_release_begins_with_what_is_published_from_then_on(self) -> None:
        assert await self._late(Interest("mail.tell", frozenset({"orders.Placed"}))) == [message(2).id]

    async def test_a_consumer_of_a_later_release_that_wants_the_past_begins_with_that_if_it_is_kept(self) -> None:
        past = [message(1).id] if self.keeps_the_past else []
        late = Interest("mail.tell", frozenset({"orders.Placed"}), retained=True)
        assert await self._late(late) == [*past, message(2).id]

    async def _late(self, late: Interest) -> list[str]:
        """What a consumer gets that comes between two messages of one key."""
        first, recorder = Interest("billing.note", frozenset({"orders.Placed"})), Recorder()
        async with self.opened([first]) as broker:
            await broker.publish([message(1, key="k")])
        async with self.opened([first, late]) as broker:
            await self.consumer(broker, late.consumer, recorder)
            await broker.publish([message(2, key="k")])
            async with asyncio.timeout(PATIENCE_SECONDS):
                while message(2).id not in [got.id for got in recorder.got]:
                    await recorder.until(len(recorder.got) + 1)
        await self.tasks.stop()
        return [got.id for got in recorder.got]

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
        for key in {one.key for one in sent if one.key}:
            assert other.of_key(key) == [one.id for one in sent if one.key == key]

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

    async def test_what_is_taken_for_stored_is_there_after_the_server_was_killed(self) -> None:
        interest, recorder = Interest("billing.note", frozenset({"orders.Placed"})), Recorder()
        sent = [message(number, key=f"k{number % 10}") for number in range(200)]
        async with self.opened([interest]) as publisher:
            await self.settle()
            await publisher.publish(sent)
            await self.kill()
        await self.start()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await recorder.until_complete(sent)
        for key in {one.key for one in sent}:
            assert first_of_each(recorder.of_key(key or "")) == [one.id for one in sent if one.key == key]

    async def test_without_a_server_nothing_is_taken_for_stored_and_the_outlet_fills_up(self) -> None:
        recorder = Recorder()
        async with self.connected() as broker:
            await self.consumer(broker, "billing.note", recorder)
            await broker.publish([message(number, key=f"first{number}") for number in range(3, 50)])
            await recorder.until(47)
            await self.settle()
            await self.kill()
            stored: asyncio.Queue[int] = asyncio.Queue()
            (outlet,) = broker.outlets()
            for number in range(1, 3):
                outlet.sink.put(Delivery(message(number, key="k")), partial(stored.put_nowait, number))
            await asyncio.sleep(0)
            assert stored.empty()
            room = self.tasks.spawn(outlet.sink.room())
            await self.start()
            await room
            await recorder.until(49)  # which may be before the broker has said that it is stored
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert [await stored.get(), await stored.get()] == [1, 2]
        assert recorder.of_key("k") == [message(1).id, message(2).id]


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
