"""The broker port on RabbitMQ."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

from ramet.clock import Clock
from ramet.errors import ConfigurationError, MissingExtra, Unavailable, described
from ramet.events.base import Broker, Interest, Message, Outlet, Subscription
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.loops import persist
from ramet.events.brokers.members import BEAT_SECONDS
from ramet.events.brokers.outgoing import AGAIN_SECONDS, WINDOW, Outgoing, Pack
from ramet.events.brokers.rabbitmq.names import Names
from ramet.events.brokers.rabbitmq.options import RabbitOptions, read_url
from ramet.events.brokers.wire import encode_messages
from ramet.tasks import Spawn, end

try:
    import aiormq
    from aiormq import spec
    from aiormq.abc import AbstractChannel, AbstractConnection, DeliveredMessage

    from ramet.events.brokers.rabbitmq.failures import FAILURES, let_go, library, quietly
    from ramet.events.brokers.rabbitmq.reading import Reading
    from ramet.events.brokers.rabbitmq.topology import OLDEST, declare_exchanges, declare_queues, version_of
except ImportError as error:
    raise MissingExtra("aio-pika", "rabbitmq", "The broker RabbitMQ") from error

RECONNECT_SECONDS = 0.5
CONNECT_SECONDS = 5.0
PREPARE_SECONDS = 30.0
CONFIRM_SECONDS = 20.0
SILENCE_SECONDS = 10.0
log = logging.getLogger("ramet.events.rabbitmq")


class RabbitBroker(Broker):
    """Quorum queues: for each consumer of the application one for each partition, which one replica reads at a time.

    A message is stored when RabbitMQ confirms it, that is when it is on the disk of a majority; confirmations are
    pipelined. What is sent again after a lost connection may be stored twice, and is handled once by the inbox. What no
    consumer of the application wants is not kept: a consumer gets what is published after a process declared it.

    `interests` are those of the whole application. `application` begins the names of exchanges and queues.
    """

    def __init__(
        self,
        url: str | RabbitOptions,
        *,
        application: str,
        clock: Clock,
        spawn: Spawn,
        interests: Collection[Interest] = (),
    ) -> None:
        self._options = read_url(url) if isinstance(url, str) else url
        self._names = Names(application)
        self._clock = clock
        self._spawn = spawn
        self._interests = {interest.consumer: interest for interest in interests}
        self._outgoing = Outgoing(clock, route=_everywhere, most=1, packs=WINDOW, overdue_seconds=None)
        self._beats = Beats(self._tell, clock=clock, spawn=spawn, failures=FAILURES)
        self._readings: dict[str, Reading] = {}
        self._connection: AbstractConnection | None = None
        self._publisher: AbstractChannel | None = None
        self._control: AbstractChannel | None = None
        self._publishing: set[asyncio.Task[Any]] = set()
        self._tasks: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        deadline = self._clock.monotonic() + self._options.patience_seconds
        while True:
            try:
                await self._connect()
                break
            except FAILURES as error:
                if self._clock.monotonic() > deadline or isinstance(error, aiormq.exceptions.AuthenticationError):
                    raise self._unreachable(error) from error
                await self._clock.sleep(RECONNECT_SECONDS)
        self._start(self._stay_connected, self._send, self._beats.run, self._listen, self._repeat)

    async def close(self) -> None:
        connection = self._connection
        try:
            with library:
                async with asyncio.timeout(self._options.patience_seconds):
                    for reading in self._readings.values():
                        await reading.close()
                    await self._beats.leave()
        except FAILURES as error:
            log.debug("RabbitMQ: the end was not orderly: %s", error)
        await end((*self._tasks, *self._publishing))
        self._tasks.clear()
        if connection is not None:
            await quietly(connection.close)

    async def subscribe(self, subscription: Subscription) -> None:
        name = subscription.consumer
        if name in self._readings:
            raise ConfigurationError(
                f"The consumer {name} subscribes twice in one process; its replicas belong into processes of their own."
            )
        connection = self._connection
        if name not in self._interests:
            self._interests[name] = Interest(name, subscription.topics)
            if connection is not None:
                await self._declare(connection, [self._interests[name]])
        if subscription.past is not None:
            log.warning("%s: RabbitMQ keeps no past; it begins with what was published since it was declared", name)
            await subscription.past.reached(subscription.topics, None)
        reading = Reading(
            subscription, names=self._names, options=self._options, members=self._beats.members, clock=self._clock
        )
        self._readings[name] = reading
        if connection is not None:
            reading.attach(connection)
        self._start(reading.coordinate, reading.feed, reading.acknowledge)
        self._beats.join(name, reading.wake)

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:  # noqa: ARG002 - one for all topics
        return (Outlet("rabbitmq", None, self._outgoing),)

    def _start(self, *loops: Callable[[], Awaitable[None]]) -> None:
        going = partial(persist, clock=self._clock, log=log, mend=self._renew)
        self._tasks += [self._spawn(going(loop)) for loop in loops]

    def _renew(self) -> None:
        """Connect again: what was not acknowledged is delivered again, what was not confirmed is sent again."""
        if self._connection is not None:
            self._spawn(quietly(self._connection.close))

    async def _connect(self) -> None:
        with library:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await aiormq.connect(self._options.url)
        connection.closing.add_done_callback(lambda _: self._spawn(let_go(connection)))
        try:
            with library:
                async with asyncio.timeout(PREPARE_SECONDS):
                    await self._prepare(connection)
        except BaseException:
            await quietly(connection.close)
            raise
        self._connection = connection
        self._beats.restart()
        self._outgoing.resume()
        for reading in self._readings.values():
            reading.attach(connection)
        self._beats.announce()

    async def _prepare(self, connection: AbstractConnection) -> None:
        if version_of(connection) < OLDEST:
            raise ConfigurationError(
                f"RabbitMQ at {self._options.shown} is older than 3.10, whose quorum queues are the first that keep a "
                "message for a limited time."
            )
        self._control = control = await connection.channel(publisher_confirms=False)
        await declare_exchanges(control, self._names, self._options)
        await self._declare(connection, self._interests.values())
        queue = await control.queue_declare(exclusive=True, auto_delete=True)
        await control.queue_bind(queue.queue or "", self._names.members)
        await control.basic_consume(queue.queue or "", self._heard, no_ack=True)
        self._publisher = await connection.channel(publisher_confirms=True)

    async def _declare(self, connection: AbstractConnection, interests: Collection[Interest]) -> None:
        channel = await connection.channel(publisher_confirms=False)
        for interest in interests:
            await declare_queues(channel, self._names, self._options, interest, version_of(connection))
        await channel.close()

    async def _stay_connected(self) -> None:
        while True:
            connection, publisher, control = self._connection, self._publisher, self._control
            if connection is not None and publisher is not None and control is not None:
                ends = (connection.closing, publisher.closing, control.closing)
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                self._disconnected()
                await quietly(connection.close)
            try:
                await self._connect()
                log.info("connected to %s again", self._options.shown)
            except (*FAILURES, ConfigurationError) as error:
                log.debug("no connection to %s: %s", self._options.shown, error)
                await self._clock.sleep(self._clock.jitter(RECONNECT_SECONDS))

    def _disconnected(self) -> None:
        log.warning("the connection to %s is lost", self._options.shown)
        self._connection = self._publisher = self._control = None
        self._outgoing.pause()
        for reading in self._readings.values():
            reading.detach()

    async def _send(self) -> None:
        while True:
            pack = await self._outgoing.next()
            task = self._spawn(self._publish(pack))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)

    async def _publish(self, pack: Pack) -> None:
        publisher, (message,) = self._publisher, pack.messages
        try:
            if publisher is not None:
                with library:
                    await publisher.basic_publish(
                        encode_messages(pack.messages),
                        exchange=self._names.events,
                        routing_key=self._names.route(message, self._options.partitions),
                        properties=spec.Basic.Properties(delivery_mode=2),
                        timeout=CONFIRM_SECONDS,
                    )
                self._outgoing.stored(pack.ticket)
        except FAILURES as error:
            log.debug("event %s is sent again: %s", message.id, error)
            self._outgoing.failed(pack.ticket)

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(AGAIN_SECONDS)
            self._outgoing.repeat_overdue()

    async def _tell(self, beat: bytes) -> None:
        if self._control is not None:
            with library:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._control.basic_publish(beat, exchange=self._names.members, routing_key="")

    async def _listen(self) -> None:
        """A replica hears its own beats, too; one that does not has a connection that is of no use."""
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            if self._connection is not None and self._beats.silence > SILENCE_SECONDS:
                log.warning("nothing comes from %s any more: connecting again", self._options.shown)
                self._beats.restart()
                self._renew()

    async def _heard(self, message: DeliveredMessage) -> None:
        self._beats.hear(message.body)

    def _unreachable(self, error: BaseException) -> Unavailable:
        return Unavailable(
            f"RabbitMQ at {self._options.shown} cannot be used ({described(error)}): start it there, or name "
            "another address as `broker` of the deployment in ramet.toml."
        )


def _everywhere(_: Message) -> str:
    """Each message is stored by itself, in whatever queues want it."""
    return ""
