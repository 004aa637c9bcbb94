"""A consumer's queues as RabbitMQ gives them, takes them away and repeats itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("aiormq", reason="pip install ramet[rabbitmq]")

from aiormq.exceptions import ChannelNotFoundEntity

from ramet.clock import VirtualClock
from ramet.events.base import Delivery, Done, Message, Sink, Subscription
from ramet.events.brokers.members import Members
from ramet.events.brokers.rabbitmq.names import Names
from ramet.events.brokers.rabbitmq.options import RabbitOptions
from ramet.events.brokers.rabbitmq.reading import Reading
from ramet.events.brokers.wire import encode_messages
from ramet.tasks import Tasks

CONSUMER, TOPIC = "billing.note", "orders.Placed"
PATIENCE_SECONDS = 5.0
Consume = Callable[[Any], Awaitable[None]]


class Channel:
    """What `Reading` asks of a channel."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.is_closed = False
        self.consumers: dict[str, Consume] = {}

    async def basic_qos(self, *, prefetch_count: int) -> None: ...

    async def basic_consume(self, queue: str, consume: Consume) -> Any:
        self.consumers[queue] = consume
        return SimpleNamespace(consumer_tag=queue)

    async def basic_ack(self, tag: int, *, wait: bool = True) -> None:
        self.acknowledged.append(tag)

    async def close(self) -> None:
        self.is_closed = True

    async def deliver(self, tag: int, identifier: str) -> None:
        body = encode_messages([Message(id=identifier, topic=TOPIC, key="k")])
        (consume,) = self.consumers.values()
        await consume(SimpleNamespace(delivery_tag=tag, redelivered=False, body=body))


class Connection:
    """Opens channels; `gives_up` is raised once instead."""

    def __init__(self) -> None:
        self.channels: list[Channel] = []
        self.gives_up: BaseException | None = None
        self.declared = 0
        self.declares_not: BaseException | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def declare(self, _: object) -> None:
        self.declared += 1
        error, self.declares_not = self.declares_not, None
        if error is not None:
            raise error

    async def channel(self, *, publisher_confirms: bool) -> Channel:
        assert not publisher_confirms
        error, self.gives_up = self.gives_up, None
        if error is not None:
            raise error
        await self.answers.wait()
        self.channels.append(Channel())
        return self.channels[-1]


class Pile(Sink):
    """Takes everything and is done with nothing by itself."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Done]] = []

    def put(self, delivery: Delivery, done: Done) -> None:
        self.taken.append((delivery.message.id, done))

    async def room(self) -> int:
        return 100


@asynccontextmanager
async def reading(pile: Pile, connection: Connection, *, partitions: int = 1) -> AsyncIterator[Reading]:
    clock, tasks = VirtualClock(), Tasks()
    one = Reading(
        Subscription(CONSUMER, frozenset({TOPIC}), pile),
        connection.declare,
        names=Names("test"),
        options=RabbitOptions(partitions=partitions),
        members=Members("me", now=clock.monotonic()),
        clock=clock,
    )
    for loop in (one.coordinate, one.feed, one.acknowledge):
        tasks.spawn(loop())
    one.attach(connection)  # type: ignore[arg-type]  # as much of a connection as is asked for
    try:
        yield one
    finally:
        await tasks.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the loops are let run, and tell nobody
            await asyncio.sleep(0)


async def test_a_message_that_was_stored_twice_is_handled_once_and_acknowledged_twice() -> None:
    pile, connection = Pile(), Connection()
    async with reading(pile, connection):
        await until(lambda: bool(connection.channels and connection.channels[0].consumers))
        (channel,) = connection.channels
        await channel.deliver(1, "a")
        await channel.deliver(2, "a")
        await channel.deliver(3, "b")
        await until(lambda: len(pile.taken) == 2)
        for _, done in pile.taken:
            done()
        await until(lambda: len(channel.acknowledged) == 3)
    assert [identifier for identifier, _ in pile.taken] == ["a", "b"]
    assert sorted(channel.acknowledged) == [1, 2, 3]


async def test_a_queue_whose_consumer_was_cancelled_by_the_server_is_read_again() -> None:
    pile, connection = Pile(), Connection()
    async with reading(pile, connection) as one:
        await until(lambda: bool(connection.channels and connection.channels[0].consumers))
        await asyncio.sleep(0)
        connection.channels[0].consumers.clear()
        one.wake()
        await until(lambda: len(connection.channels) == 2 and bool(connection.channels[1].consumers))
        assert connection.channels[0].is_closed
        await connection.channels[1].deliver(1, "a")
        await until(lambda: bool(pile.taken))


async def test_a_call_that_the_library_cancels_is_tried_again() -> None:
    pile, connection = Pile(), Connection()
    connection.gives_up = asyncio.CancelledError()
    async with reading(pile, connection) as one:
        await until(lambda: connection.gives_up is None)
        one.wake()
        await until(lambda: bool(connection.channels and connection.channels[0].consumers))


async def test_a_queue_that_was_deleted_is_declared_again() -> None:
    pile, connection = Pile(), Connection()
    connection.gives_up = ChannelNotFoundEntity("NOT_FOUND - no queue")
    async with reading(pile, connection):
        await until(lambda: bool(connection.channels and connection.channels[0].consumers))
    assert connection.declared == 1


async def test_a_queue_that_cannot_be_declared_yet_gives_no_other_a_second_reader() -> None:
    """Of two readers of a queue the one that nobody remembers would get all that is in it."""
    pile, connection = Pile(), Connection()
    connection.gives_up = ChannelNotFoundEntity("NOT_FOUND - no queue")
    connection.declares_not = ConnectionResetError("not now")
    connection.answers.clear()
    async with reading(pile, connection, partitions=3) as one:
        await until(lambda: connection.gives_up is None)
        for _ in range(20):
            one.wake()
            await asyncio.sleep(0)
        connection.answers.set()
        await until(lambda: len({queue for channel in connection.channels for queue in channel.consumers}) == 3)
    assert len(connection.channels) == 3
