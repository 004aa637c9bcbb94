"""One service's part in the events of the application: its outbox and relay, its consumers, their replays."""

from __future__ import annotations

from collections.abc import Collection

from ramet.clock import Clock
from ramet.events.base import Broker, Message, Subscription
from ramet.events.inbox import Consumer, Handler
from ramet.events.lanes import Lanes, Spawn
from ramet.events.moments import Report, unreported
from ramet.events.outbox import publish_write
from ramet.events.policy import Retries
from ramet.events.relay import Relay
from ramet.events.replays import Replays
from ramet.events.subscriptions import remember
from ramet.storage.base import Storage, Unit


class Subscriber:
    """One handler with all that belongs to it: consumer, lanes, replays, the memory of its subscription."""

    def __init__(
        self, consumer: Consumer, topic: str, storage: Storage, *, clock: Clock, spawn: Spawn, concurrency: int
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._storage = storage
        self._clock = clock
        self._lanes = Lanes(consumer.deliver, spawn=spawn, clock=clock, concurrency=concurrency)
        self._replays = Replays(consumer.letters, self._lanes, clock=clock, spawn=spawn)

    async def open(self, broker: Broker, *, retained: bool) -> None:
        """Subscribe."""
        topics = frozenset({self._topic})
        await self._consumer.open()
        past = await remember(self._storage, self._consumer.name, topics, clock=self._clock, retained=retained)
        await broker.subscribe(Subscription(self._consumer.name, topics, self._lanes, past))

    def start(self) -> None:
        """Take up the replays that are outstanding."""
        self._replays.start()

    def replay_due(self) -> None:
        """An operator wants dead letters handled again."""
        self._replays.wake()

    async def stop(self) -> None:
        """Finish the attempts that are running, and begin no other."""
        await self._replays.stop()
        await self._lanes.close()


class ServiceEvents:
    """What the runtime holds for each service that publishes or handles events.

    In this order: `handle` each of the handlers; `open` every service; `start` every service; … `stop` every service.
    Between opening and starting nothing is delivered, so that no consumer misses what another service's relay sends.
    """

    def __init__(
        self,
        storage: Storage,
        broker: Broker,
        *,
        clock: Clock,
        spawn: Spawn,
        publishes: Collection[str] | None = None,
        report: Report = unreported,
    ) -> None:
        self._storage = storage
        self._broker = broker
        self._clock = clock
        self._spawn = spawn
        self._report = report
        self._relay = Relay(storage, broker, clock=clock, spawn=spawn, topics=publishes)
        self._subscribers: dict[str, tuple[Subscriber, bool]] = {}

    def publish(self, unit: Unit, message: Message) -> None:
        """Have the event written with this unit of work, and the relay woken when that is durable."""
        unit.defer(publish_write(message))
        unit.after_commit(self._relay.wake)

    def handle(
        self,
        method: str,
        topic: str,
        handler: Handler,
        *,
        retained: bool = False,
        retries: Retries | None = None,
        concurrency: int = 100,
    ) -> None:
        """Have a method handle a topic; `retained`: from the retained past on, if it is new."""
        consumer = Consumer(
            f"{self._storage.service}.{method}",
            handler,
            storage=self._storage,
            clock=self._clock,
            retries=retries,
            report=self._report,
        )
        subscriber = Subscriber(
            consumer, topic, self._storage, clock=self._clock, spawn=self._spawn, concurrency=concurrency
        )
        self._subscribers[consumer.name] = subscriber, retained

    async def open(self) -> None:
        """Subscribe."""
        for subscriber, retained in self._subscribers.values():
            await subscriber.open(self._broker, retained=retained)

    async def start(self) -> None:
        """Deliver."""
        for subscriber, _ in self._subscribers.values():
            subscriber.start()
        await self._relay.start()

    def replay_due(self, consumer: str) -> None:
        """An operator wants dead letters of this consumer handled again."""
        if consumer in self._subscribers:
            self._subscribers[consumer][0].replay_due()

    async def stop(self) -> None:
        """Finish the attempts that are running and mark what was handled; the rest is delivered at the next start."""
        for subscriber, _ in self._subscribers.values():
            await subscriber.stop()
        await self._relay.stop()
