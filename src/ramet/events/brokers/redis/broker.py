"""The broker port on Redis Streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

from ramet.clock import Clock
from ramet.errors import Unavailable, described
from ramet.events.base import Broker, Interest, Message, Outlet, Subscription, check_unsubscribed
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.loops import Insist, persist
from ramet.events.brokers.outgoing import AGAIN_SECONDS, Outgoing
from ramet.events.brokers.redis.durability import doubts, read_info, refuse
from ramet.events.brokers.redis.entries import Store
from ramet.events.brokers.redis.line import FAILURES, RECONNECT_SECONDS, REFUSALS, Line, Pipe, Refused
from ramet.events.brokers.redis.options import RedisOptions, read_url
from ramet.events.brokers.redis.reading import Reading
from ramet.events.brokers.redis.wire import Names, route_of
from ramet.events.brokers.wire import encode_messages
from ramet.tasks import Spawn, end

FORGET_SECONDS = 60.0
log = logging.getLogger("ramet.events.redis")


class RedisBroker(Broker):
    """All events of an application in a stream for each partition by key; each consumer reads them by position.

    A message is stored when Redis has answered, and where the options ask for it when the disk or replicas have it.
    What is sent again after a lost connection may be stored twice, and is handled once by the inbox. The replicas of a
    consumer share its partitions, each is read by one at a time, and what is done is written down as a position: what
    was in flight in a replica that died is read again by another.

    `interests` are those of the whole application. `application` begins the names of all keys.
    """

    def __init__(
        self,
        url: str | RedisOptions,
        *,
        application: str,
        clock: Clock,
        spawn: Spawn,
        interests: Collection[Interest] = (),
    ) -> None:
        self._options = options = read_url(url) if isinstance(url, str) else url
        self._names = Names(application, options.database)
        self._clock = clock
        self._spawn = spawn
        self._interests = tuple(interests)
        self._outgoing = Outgoing(clock, route=self._route, overdue_seconds=None)
        self._events = Pipe(
            options, clock, lost=lambda _: self._outgoing.pause(), back=self._outgoing.resume, confirmed=True
        )
        self._rest = Pipe(options, clock, lost=self._lost, back=self._back)
        self._store = Store(self._rest, self._names, options)
        self._hearing = Line(options)
        self._beats = Beats(self._tell, clock=clock, spawn=spawn, failures=FAILURES)
        self._insist = Insist(
            clock=clock,
            patience_seconds=options.patience_seconds,
            failures=FAILURES,
            final=lambda error: isinstance(error, REFUSALS),
            unreachable=self._unreachable,
        )
        self._readings: dict[str, Reading] = {}
        self._is_refused = False
        self._tasks: list[asyncio.Task[Any]] = []
        self._carrying: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        self._carrying = self._going(self._events.run, self._rest.run)
        try:
            await self._insist(self._prepare)
        except BaseException:
            await self._hang_up()
            raise
        self._outgoing.resume()
        self._tasks = self._going(self._send, self._repeat, self._beats.run, self._listen, self._forget)

    async def close(self) -> None:
        await end(self._tasks)
        self._tasks.clear()
        level = logging.WARNING if any(reading.owes for reading in self._readings.values()) else logging.DEBUG
        try:
            async with asyncio.timeout(self._options.patience_seconds):
                await asyncio.gather(*(reading.close() for reading in self._readings.values()))
                await self._beats.leave()
        except FAILURES as error:
            log.log(level, "positions were not written at the end, so events are delivered again: %s", error)
        await self._hang_up()

    async def subscribe(self, subscription: Subscription) -> None:
        name, past = subscription.consumer, subscription.past
        check_unsubscribed(name, self._readings)
        await self._insist(partial(self._store.declare, Interest(name, subscription.topics, past is not None)))
        if past is not None:
            if not self._options.past_days:
                log.warning("%s: Redis keeps no past without ?past_days=; it begins with what is there still", name)
            await past.reached(subscription.topics, None)  # from now on the broker remembers
        reading = Reading(subscription, self._store, self._beats, Line(self._options))
        self._readings[name] = reading
        self._beats.join(name, reading.wake)
        self._tasks += self._going(reading.coordinate, reading.read, reading.feed, mend=reading.interrupt)

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:  # noqa: ARG002 - one for all topics
        return (Outlet("redis", None, self._outgoing),)

    def _going(
        self, *loops: Callable[[], Awaitable[None]], mend: Callable[[], None] | None = None
    ) -> list[asyncio.Task[Any]]:
        return [self._spawn(persist(loop, clock=self._clock, log=log, mend=mend)) for loop in loops]

    async def _prepare(self) -> None:
        info = read_info(await self._rest.send("INFO"))
        refuse(info, self._options)
        doubted = list(doubts(info, await self._appendfsync(), self._options))
        await self._store.agree()
        await asyncio.gather(*(self._store.declare(interest) for interest in self._interests))
        for doubt in doubted:
            log.warning("%s", doubt)

    async def _appendfsync(self) -> str | None:
        try:
            _, value = await self._rest.send("CONFIG", "GET", "appendfsync")
        except (Refused, ValueError):  # not allowed, or not there
            return None
        return str(value, "ascii")

    async def _hang_up(self) -> None:
        await end(self._carrying)
        self._carrying.clear()
        for line in (self._events, self._rest, self._hearing):
            await line.hang_up()

    def _route(self, message: Message) -> str:
        return route_of(message, self._store.partitions)

    async def _send(self) -> None:
        while True:
            ticket, route, messages = await self._outgoing.next()
            number, _, topic = route.partition(" ")
            answer = self._events.send("XADD", self._names.events(int(number)), "*", topic, encode_messages(messages))
            answer.add_done_callback(partial(self._answered, ticket))

    def _answered(self, ticket: int, answer: asyncio.Future[bytes]) -> None:
        error = ConnectionError("the end") if answer.cancelled() else answer.exception()
        if error is None:
            self._is_refused = False
            self._outgoing.stored(ticket)
            return
        if isinstance(error, Refused) and not self._is_refused:
            self._is_refused = True
            log.warning("%s takes no events at the moment: %s", self._options.shown, error)
        self._outgoing.failed(ticket)

    async def _repeat(self) -> None:
        while True:
            await self._clock.sleep(AGAIN_SECONDS)
            self._outgoing.repeat_overdue()

    async def _forget(self) -> None:
        """Every process does so: it costs little, and whoever is last does it still."""
        while True:
            await self._clock.sleep(self._clock.jitter(FORGET_SECONDS))
            try:
                await self._store.forget(self._clock.time())
            except FAILURES as error:
                log.debug("nothing is forgotten at the moment: %s", error)

    async def _tell(self, beat: bytes) -> None:
        await self._rest.send("PUBLISH", self._names.members, beat)

    async def _listen(self) -> None:
        """Hear the other replicas. A replica hears its own beats, too: in silence the connection is of no use."""
        while True:
            try:
                await self._hearing.ask(("SUBSCRIBE", self._names.members))
                self._beats.restart()
                self._beats.announce()
                while True:
                    self._beats.hear((await self._hearing.hear())[2])
            except FAILURES as error:
                log.debug("the other replicas are not heard at the moment: %s", described(error))
            await self._hearing.hang_up()
            await self._clock.sleep(self._clock.jitter(RECONNECT_SECONDS))

    def _lost(self, error: BaseException) -> None:
        if self._tasks:  # else nobody has heard of it yet
            log.warning("the connection to %s is lost: %s", self._options.shown, described(error))

    def _back(self) -> None:
        if self._tasks:
            log.info("connected to %s again", self._options.shown)

    def _unreachable(self, error: BaseException) -> Unavailable:
        return Unavailable(
            f"Redis at {self._options.shown} cannot be used ({described(error)}): start it there, or name another "
            "address as `broker` of the deployment in ramet.toml."
        )
