"""The broker port on RabbitMQ."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

from ramet.clock import Clock
from ramet.errors import ConfigurationError, MissingExtra, Unavailable, described
from ramet.events.base import Broker, Interest, Message, Outlet, Subscription, check_unsubscribed
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.loops import Insist, persist
from ramet.events.brokers.members import BEAT_SECONDS
from ramet.events.brokers.outgoing import AGAIN_SECONDS, WINDOW, Outgoing, Pack
from ramet.events.brokers.rabbitmq.names import Names
from ramet.events.brokers.rabbitmq.options import RabbitOptions, read_url
from ramet.events.brokers.wire import encode_messages
from ramet.tasks import Spawn, end

try:
    from aiormq import spec
    from aiormq.abc import AbstractChannel, AbstractConnection, DeliveredMessage
    from aiormq.exceptions import AuthenticationError

    from ramet.events.brokers.rabbitmq.failures import FAILURES, Connection, library, quietly
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

    One connection consumes and another one publishes: short of memory or disk RabbitMQ hears nothing on connections
    that have published, acknowledgements included, and only those make room there. What is published waits in the
    outbox then.

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
        self._insist = Insist(
            clock=clock,
            patience_seconds=self._options.patience_seconds,
            failures=FAILURES,
            final=lambda error: isinstance(error, AuthenticationError),
            unreachable=self._unreachable,
        )
        self._readings: dict[str, Reading] = {}
        self._dialed: list[AbstractConnection] = []
        self._consuming: AbstractConnection | None = None
        self._publishing: AbstractConnection | None = None
        self._publisher: AbstractChannel | None = None
        self._beating: AbstractChannel | None = None
        self._ends: Sequence[asyncio.Future[Any]] = ()
        self._is_blocked = False
        self._unconfirmed: set[asyncio.Task[Any]] = set()
        self._tasks: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        await self._insist(self._connect)
        self._start(self._stay_connected, self._send, self._beats.run, self._listen, self._repeat)

    async def close(self) -> None:
        try:
            with library:
                async with asyncio.timeout(self._options.patience_seconds):
                    for reading in self._readings.values():
                        await reading.close()
                    await self._beats.leave()
        except FAILURES as error:
            log.debug("RabbitMQ: the end was not orderly: %s", error)
        await end((*self._tasks, *self._unconfirmed))
        self._tasks.clear()
        await self._hang_up()

    async def subscribe(self, subscription: Subscription) -> None:
        name = subscription.consumer
        check_unsubscribed(name, self._readings)
        if name not in self._interests:
            self._interests[name] = Interest(name, subscription.topics)
            await self._insist(partial(self._declare_now, self._interests[name]))
        if subscription.past is not None:
            log.warning("%s: RabbitMQ keeps no past; it begins with what was published since it was declared", name)
            await subscription.past.reached(subscription.topics, None)
        reading = Reading(
            subscription,
            partial(self._declare, interests=[self._interests[name]]),
            names=self._names,
            options=self._options,
            members=self._beats.members,
            clock=self._clock,
        )
        self._readings[name] = reading
        if self._consuming is not None:
            reading.attach(self._consuming)
        self._start(reading.coordinate, reading.feed, reading.acknowledge)
        self._beats.join(name, reading.wake)

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:  # noqa: ARG002 - one for all topics
        return (Outlet("rabbitmq", None, self._outgoing),)

    def _start(self, *loops: Callable[[], Awaitable[None]]) -> None:
        going = partial(persist, clock=self._clock, log=log, mend=self._renew)
        self._tasks += [self._spawn(going(loop)) for loop in loops]

    def _renew(self) -> None:
        """Connect again: what was not acknowledged is delivered again, what was not confirmed is sent again."""
        for connection in self._dialed:
            self._spawn(quietly(connection.close))

    async def _connect(self) -> None:
        try:
            consuming, publishing = await self._dial(), await self._dial()
            with library:
                async with asyncio.timeout(PREPARE_SECONDS):
                    await self._prepare(consuming, publishing)
        except BaseException:
            await self._hang_up()
            raise
        self._consuming, self._publishing, self._is_blocked = consuming, publishing, False
        self._beats.restart()
        self._outgoing.resume()
        for reading in self._readings.values():
            reading.attach(consuming)
        self._beats.announce()

    async def _dial(self) -> AbstractConnection:
        connection = Connection(self._options.url)
        self._dialed.append(connection)
        with library:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()
        return connection

    async def _prepare(self, consuming: AbstractConnection, publishing: AbstractConnection) -> None:
        if version_of(consuming) < OLDEST:
            raise ConfigurationError(
                f"RabbitMQ at {self._options.shown} is older than 3.10, whose quorum queues are the first that keep a "
                "message for a limited time."
            )
        channel = await consuming.channel(publisher_confirms=False)
        await declare_exchanges(channel, self._names, self._options)
        await self._declare(consuming, self._interests.values())
        queue = await channel.queue_declare(exclusive=True, auto_delete=True)
        await channel.queue_bind(queue.queue or "", self._names.members)
        await channel.basic_consume(queue.queue or "", self._heard, no_ack=True)
        self._beating = await publishing.channel(publisher_confirms=False)
        self._publisher = await publishing.channel(publisher_confirms=True)
        self._ends = [one.closing for one in (consuming, publishing, channel, self._beating, self._publisher)]

    async def _declare(self, connection: AbstractConnection, interests: Collection[Interest]) -> None:
        channel = await connection.channel(publisher_confirms=False)
        try:
            for interest in interests:
                await declare_queues(channel, self._names, self._options, interest, version_of(connection))
        finally:
            await quietly(channel.close)

    async def _declare_now(self, interest: Interest) -> None:
        """Where there is no connection, the next one declares it before anything is published."""
        if self._consuming is not None:
            await self._declare(self._consuming, [interest])

    async def _stay_connected(self) -> None:
        said = ""
        while True:
            if self._consuming is not None:
                await asyncio.wait(self._ends, return_when=asyncio.FIRST_COMPLETED)
                await self._disconnected()
            try:
                await self._connect()
                log.info("connected to %s again", self._options.shown)
                said = ""
            except (*FAILURES, ConfigurationError) as error:
                if (why := described(error)) != said:
                    log.warning("no connection to %s, events wait in the outbox: %s", self._options.shown, why)
                said = why
                await self._clock.sleep(self._clock.jitter(RECONNECT_SECONDS))

    async def _disconnected(self) -> None:
        log.warning("the connection to %s is lost", self._options.shown)
        self._publisher = self._beating = None
        self._outgoing.pause()
        for reading in self._readings.values():
            reading.detach()
        await self._hang_up()

    async def _hang_up(self) -> None:
        self._consuming = self._publishing = None
        await asyncio.gather(*(quietly(one.close) for one in self._dialed))
        self._dialed.clear()

    async def _send(self) -> None:
        while True:
            pack = await self._outgoing.next()
            task = self._spawn(self._publish(pack))
            self._unconfirmed.add(task)
            task.add_done_callback(self._unconfirmed.discard)

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
        if self._beating is not None and not self._is_blocked:
            with library:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._beating.basic_publish(beat, exchange=self._names.members, routing_key="")

    async def _listen(self) -> None:
        """A replica hears its own beats, too; one that does not has a connection that is of no use, or is blocked."""
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            if self._publishing is not None:
                await self._mind_blocks(self._publishing)
            if self._consuming is not None and not self._is_blocked and self._beats.silence > SILENCE_SECONDS:
                log.warning("nothing comes from %s any more: connecting again", self._options.shown)
                self._beats.restart()
                self._renew()

    async def _mind_blocks(self, publishing: AbstractConnection) -> None:
        """Publish nothing while RabbitMQ would not hear it."""
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await publishing.ready()
            blocked = False
        except TimeoutError:
            blocked = True
        if publishing is not self._publishing or blocked == self._is_blocked:
            return
        self._is_blocked = blocked
        if blocked:
            self._outgoing.pause()
            log.warning(
                "%s is short of memory or disk and takes no events: they wait in the outbox", self._options.shown
            )
        else:
            log.warning("%s takes events again", self._options.shown)
            self._beats.restart()
            self._outgoing.resume()

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
