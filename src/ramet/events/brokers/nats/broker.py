"""The broker port on NATS JetStream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

from nats.aio.msg import Msg

from ramet.clock import Clock
from ramet.errors import RametError, described
from ramet.events.base import Broker, Interest, Message, Outlet, Subscription, check_unsubscribed
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.loops import persist
from ramet.events.brokers.nats.connection import FAILURES, Connection
from ramet.events.brokers.nats.entries import declare
from ramet.events.brokers.nats.options import NatsOptions, read_url
from ramet.events.brokers.nats.reading import Reading, Stream
from ramet.events.brokers.nats.wire import Layout, Names, origin, publish_id, why_not_stored
from ramet.events.brokers.outgoing import AGAIN_SECONDS, PACK_BYTES, Outgoing
from ramet.events.brokers.wire import encode_messages
from ramet.tasks import Spawn, end

SYNCED = (2, 10)
HEADER_BYTES = len("NATS/1.0\r\nNats-Msg-Id: \r\n\r\n")
PACK_HEADER_BYTES = 128
"""What is around the messages of a pack at most; that of several has a short name."""
log = logging.getLogger("ramet.events.nats")


class NatsBroker(Broker):
    """All events of an application in one stream, in partitions by key; each consumer reads it by position.

    A message is stored when JetStream confirms it; confirmations are pipelined, and repeated messages are recognised by
    their id for two minutes. The replicas of a consumer share its partitions, each partition is read by one at a time,
    and what is done is written down as a position: what was in flight in a replica that died is read again by another.

    `interests` are those of the whole application. `application` names stream and bucket.
    """

    def __init__(
        self,
        url: str | NatsOptions,
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
        self._interests = tuple(interests)
        self._connection = Connection(self._options, self._names, clock, lost=self._lost, back=self._back)
        self._outgoing = Outgoing(clock, route=self._route)
        self._beats = Beats(self._tell, clock=clock, spawn=spawn, failures=FAILURES)
        self._readings: dict[str, Reading] = {}
        self._by_number: list[Reading] = []
        self._stream: Stream | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        connection = self._connection
        await connection.open()
        self._check_sync()
        self._stream = await connection.insist(self._begin)
        await connection.listen(f"{connection.inbox}.stored.*", self._confirmed)
        await connection.listen(f"{connection.inbox}.read.*", self._arrived)
        await connection.listen(self._names.members, lambda beat: self._beats.hear(beat.data))
        self._beats.restart()
        self._resume()
        self._start(self._send, self._beats.run, self._repeat, self._stay_connected)

    async def close(self) -> None:
        await end(self._tasks)
        self._tasks.clear()
        if self._stream is None:  # it was never open
            await self._connection.close()
            return
        level = logging.WARNING if any(reading.owes for reading in self._by_number) else logging.DEBUG
        try:
            async with asyncio.timeout(self._options.patience_seconds):
                await asyncio.gather(*(reading.close() for reading in self._by_number))
                await self._beats.leave()
                await self._connection.client.flush()
        except FAILURES as error:
            log.log(level, "positions were not written at the end, so events are delivered again: %s", error)
        try:
            async with asyncio.timeout(self._options.patience_seconds):
                await self._connection.close()
        except FAILURES as error:
            log.debug("the connection did not close in order: %s", error)

    async def subscribe(self, subscription: Subscription) -> None:
        name = subscription.consumer
        check_unsubscribed(name, self._readings)
        assert self._stream is not None, "a broker is opened before somebody subscribes"
        past = subscription.past
        interest = Interest(name, subscription.topics, past is not None)
        await self._connection.insist(partial(declare, self._connection, interest))
        if past is not None:
            await past.reached(subscription.topics, None)  # from now on the broker remembers
        reading = Reading(subscription, self._stream, number=len(self._by_number))
        self._readings[name] = reading
        self._by_number.append(reading)
        self._beats.join(name, reading.wake)
        self._start(reading.coordinate, reading.pull, reading.feed, mend=reading.interrupt)

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:  # noqa: ARG002 - one for all topics
        return (Outlet("nats", None, self._outgoing),)

    async def _begin(self) -> Stream:
        layout = await self._connection.agree(Layout(partitions=self._options.partitions))
        await asyncio.gather(*(declare(self._connection, interest) for interest in self._interests))
        return Stream(connection=self._connection, names=self._names, beats=self._beats, partitions=layout.partitions)

    def _start(self, *loops: Callable[[], Awaitable[None]], mend: Callable[[], None] | None = None) -> None:
        going = partial(persist, clock=self._clock, log=log, mend=mend)
        self._tasks += [self._spawn(going(loop)) for loop in loops]

    def _route(self, message: Message) -> str:
        assert self._stream is not None, "nothing is sent before the partitions are known"
        return self._names.subject(message, self._stream.partitions)

    def _resume(self) -> None:
        self._outgoing.resume(min(PACK_BYTES, self._connection.client.max_payload - PACK_HEADER_BYTES))

    async def _send(self) -> None:
        answers = f"{self._connection.inbox}.stored"
        while True:
            ticket, subject, messages = await self._outgoing.next()
            body, name = encode_messages(messages), publish_id(messages)
            size, most = len(body) + len(name) + HEADER_BYTES, self._connection.client.max_payload
            if size > most:  # the server would hang up
                names = ", ".join(message.id for message in messages)
                log.warning(
                    "event %s has %d bytes, max_payload of NATS is %d: raise it there, and restart", names, size, most
                )
                self._outgoing.refused(ticket)
                continue
            try:
                await self._connection.client.publish(
                    subject, body, reply=f"{answers}.{ticket}", headers={"Nats-Msg-Id": name}
                )
            except FAILURES as error:
                log.debug("%d events are sent again: %s", len(messages), error)
                self._outgoing.failed(ticket)

    async def _stay_connected(self) -> None:
        """Connect anew where the library would not: credentials that are refused now may be good again soon."""
        said = ""
        while True:
            await self._connection.gone.wait()
            try:
                await self._connection.renew()
            except (RametError, *FAILURES) as error:
                if (why := described(error)) != said:
                    log.warning("events wait in the outbox: %s", why)
                said = why
                await self._clock.sleep(self._clock.jitter(AGAIN_SECONDS))
            else:
                said = ""
                log.info("connected to %s again", self._options.shown)
                self._back()

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(AGAIN_SECONDS)
            self._outgoing.repeat_overdue()

    def _confirmed(self, answer: Msg) -> None:
        ticket = int(answer.subject.rpartition(".")[2])
        if answer.data and not answer.data.startswith(b'{"error"'):
            self._outgoing.stored(ticket)
        else:
            if answer.data:
                place, why = self._options.shown, why_not_stored(answer.data)
                log.warning("JetStream at %s stores no events, which wait in the outbox: %s", place, why)
            self._outgoing.failed(ticket)

    def _arrived(self, message: Msg) -> None:
        if message.reply:
            where = origin(message.reply)
            self._by_number[int(where.reader.partition("-")[0])].arrived(where, message.subject, message.data)
        else:
            reader = message.subject.rpartition(".")[2]
            status = (message.headers or {}).get("Status", "")
            self._by_number[int(reader.partition("-")[0])].answered(reader, status)

    async def _tell(self, beat: bytes) -> None:
        await self._connection.client.publish(self._names.members, beat)

    def _lost(self) -> None:
        self._outgoing.pause()
        for reading in self._by_number:
            reading.interrupt()

    def _back(self) -> None:
        self._beats.restart()
        self._resume()
        for reading in self._by_number:
            reading.interrupt()

    def _check_sync(self) -> None:
        place = self._options.shown
        if self._connection.version < SYNCED:
            log.warning("NATS at %s is older than 2.10 and cannot sync events as they are stored", place)
        elif self._options.sync != "always":
            log.warning(
                "NATS at %s may confirm events that a power failure loses: set `sync_interval: always` in its "
                "jetstream block, and add ?sync=always to the address to say that it is set",
                place,
            )
