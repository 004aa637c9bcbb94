"""One consumer's share of its queues: each through a channel of its own, at the pace of its sink."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from aiormq.abc import AbstractChannel, AbstractConnection, DeliveredMessage
from aiormq.exceptions import ChannelNotFoundEntity

from ramet.clock import Clock
from ramet.errors import described
from ramet.events.base import Delivery, Message, Subscription
from ramet.events.brokers.members import Members
from ramet.events.brokers.rabbitmq.failures import FAILURES, library, quietly
from ramet.events.brokers.rabbitmq.names import Names
from ramet.events.brokers.rabbitmq.options import RabbitOptions
from ramet.events.brokers.wire import decode_messages

TICK_SECONDS = 1.0
DRAIN_SECONDS = 5.0
ANSWER_SECONDS = 3.0
log = logging.getLogger("ramet.events.rabbitmq")


class Queue:
    """One queue while this replica reads it. What is not acknowledged when its channel closes is delivered again."""

    def __init__(self, number: int, channel: AbstractChannel) -> None:
        self.number = number
        self.channel = channel
        self.tag: str | None = None
        self.in_flight: set[str] = set()
        self.leaving_since: float | None = None

    @property
    def ended(self) -> bool:
        """Its channel is closed, or RabbitMQ has cancelled the consumer, as when a queue loses its leader."""
        consuming = getattr(self.channel, "consumers", (self.tag,))
        return self.channel.is_closed or (self.tag is not None and self.tag not in consuming)


class _Arrived(NamedTuple):
    queue: Queue
    tag: int
    message: Message
    again: bool


class Reading:
    """Runs two loops: `coordinate` opens and closes queues as replicas come and go, `feed` fills the sink.

    RabbitMQ gives the messages of a queue to one reader at a time ("single active consumer"), and returns what that one
    did not acknowledge to the front when its channel closes. So a queue is handed over by closing a channel, and a
    replica that crashed or was frozen has lost its queues as soon as RabbitMQ misses its heartbeats. A queue that an
    operator has deleted is declared again.
    """

    def __init__(
        self,
        subscription: Subscription,
        declare: Callable[[AbstractConnection], Awaitable[None]],
        *,
        names: Names,
        options: RabbitOptions,
        members: Members,
        clock: Clock,
    ) -> None:
        self.consumer = subscription.consumer
        self.topics = subscription.topics
        self._sink = subscription.sink
        self._declare = declare
        self._names = names
        self._options = options
        self._members = members
        self._clock = clock
        self._connection: AbstractConnection | None = None
        self._queues: dict[int, Queue] = {}
        self._arrived: deque[_Arrived] = deque()
        self._any = asyncio.Event()
        self._done = asyncio.Event()
        self._woken = asyncio.Event()
        self._open: dict[str, list[_Arrived]] = {}  # by message id, what the sink has; one stored twice arrives twice
        self._acks: deque[tuple[Queue, int]] = deque()

    def wake(self) -> None:
        """Replicas have come or gone."""
        self._woken.set()

    def attach(self, connection: AbstractConnection) -> None:
        """There is a connection."""
        self._connection = connection
        self._woken.set()

    def detach(self) -> None:
        """The connection is lost, and all that was not acknowledged will be delivered again."""
        self._connection = None
        self._queues.clear()
        self._arrived.clear()
        self._acks.clear()

    async def coordinate(self) -> None:
        """Every second, and when replicas come or go."""
        while True:
            try:
                if self._connection is not None:
                    await self._adjust(self._connection)
            except FAILURES as error:
                log.debug("%s: its queues are looked at again: %s", self.consumer, error)
            self._woken.clear()
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def feed(self) -> None:
        """Put what arrives into the sink, as it has room."""
        while True:
            while not self._arrived:
                self._any.clear()
                await self._any.wait()
            for _ in range(await self._sink.room()):
                if not self._arrived:
                    break
                self._put(self._arrived.popleft())

    async def acknowledge(self) -> None:
        """Acknowledge what is done; one frame for each is cheap, and a stuck message holds up no other's."""
        while True:
            while self._acks:
                queue, tag = self._acks.popleft()
                try:
                    with library:
                        await queue.channel.basic_ack(tag, wait=False)
                except FAILURES as error:
                    log.debug("%s: an acknowledgement was lost: %s", self.consumer, error)
            self._done.clear()
            await self._done.wait()

    async def close(self) -> None:
        """Give the queues back."""
        for queue in list(self._queues.values()):
            await self._give_back(queue)

    async def _adjust(self, connection: AbstractConnection) -> None:
        now = self._clock.monotonic()
        share = self._members.share(self.consumer, self._options.partitions, now=now)
        for queue in list(self._queues.values()):
            if queue.ended:
                del self._queues[queue.number]
                await _leave(queue.channel)
            elif queue.number in share:
                if queue.leaving_since is not None:
                    await self._give_back(queue)  # what was held back meanwhile comes again, in order
            else:
                queue.leaving_since = queue.leaving_since or now
                if not queue.in_flight or now - queue.leaving_since > DRAIN_SECONDS:
                    await self._give_back(queue)
        wanted = share - self._queues.keys()
        if not all(await asyncio.gather(*(self._read(connection, number) for number in wanted))):
            log.warning("%s: a queue was deleted, with what was in it: it is declared again", self.consumer)
            with library:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._declare(connection)
            self.wake()

    async def _read(self, connection: AbstractConnection, number: int) -> bool:
        """Begin to read a queue; False where there is none.

        One that does not answer, because it has no leader yet, is tried again later.
        """
        name = self._names.queue(self.consumer, number)
        channel = None
        try:
            with library:
                async with asyncio.timeout(ANSWER_SECONDS):
                    channel = await connection.channel(publisher_confirms=False)
                    await channel.basic_qos(prefetch_count=self._options.prefetch)
                    queue = self._queues[number] = Queue(number, channel)
                    queue.tag = (await channel.basic_consume(name, partial(self._receive, queue))).consumer_tag
        except FAILURES as error:
            self._queues.pop(number, None)
            if channel is not None:
                await _leave(channel)
            log.debug("the queue %s cannot be read yet: %s", name, described(error))
            return not isinstance(error, ChannelNotFoundEntity)
        return True

    async def _give_back(self, queue: Queue) -> None:
        self._queues.pop(queue.number, None)
        with library:
            async with asyncio.timeout(ANSWER_SECONDS):
                while self._acks:  # what is done is said before the rest is given back
                    other, tag = self._acks.popleft()
                    if not other.channel.is_closed:
                        await other.channel.basic_ack(tag)
        await _leave(queue.channel)

    async def _receive(self, queue: Queue, delivered: DeliveredMessage) -> None:
        tag, again = delivered.delivery_tag, bool(delivered.redelivered)
        if tag is not None:
            (message,) = decode_messages(delivered.body)
            self._arrived.append(_Arrived(queue, tag, message, again))
            self._any.set()

    def _put(self, arrived: _Arrived) -> None:
        queue, message = arrived.queue, arrived.message
        if queue.leaving_since is not None or self._queues.get(queue.number) is not queue:
            return
        if message.topic not in self.topics:  # bound by an earlier release
            self._acknowledge(arrived)
            return
        queue.in_flight.add(message.id)
        if (known := self._open.get(message.id)) is not None:
            known.append(arrived)
            return
        self._open[message.id] = [arrived]
        self._sink.put(Delivery(message, arrived.again), partial(self._finish, message.id))

    def _finish(self, message_id: str) -> None:
        for arrived in self._open.pop(message_id):
            queue = arrived.queue
            queue.in_flight.discard(message_id)
            self._acknowledge(arrived)
            if queue.leaving_since is not None and not queue.in_flight:
                self._woken.set()

    def _acknowledge(self, arrived: _Arrived) -> None:
        if self._queues.get(arrived.queue.number) is arrived.queue:
            self._acks.append((arrived.queue, arrived.tag))
            self._done.set()


async def _leave(channel: AbstractChannel) -> None:
    """Close a channel; where that fails the connection goes too, or nobody else would get what the queue holds."""
    await quietly(channel.close)
    if not channel.is_closed:
        log.warning("a channel of RabbitMQ does not close: connecting again")
        await quietly(channel.connection.close)
