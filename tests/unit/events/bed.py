"""A test bed: two services with databases on one virtual clock, joined by the embedded broker."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ramet.clock import VirtualClock
from ramet.events.base import Message, Subscription
from ramet.events.brokers.memory import MemoryBroker
from ramet.events.inbox import Consumer, Handler
from ramet.events.lanes import Lanes
from ramet.events.lots import EventLots
from ramet.events.moments import Attempt
from ramet.events.operators import EventOperations
from ramet.events.outbox import publish_write
from ramet.events.policy import Retries
from ramet.events.relay import Relay
from ramet.events.replays import Replays
from ramet.events.subscriptions import remember
from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.storage.base import Unit, Write
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from ramet.telemetry.scope import current_scope

TOPIC = "orders.Placed"
NOTES = "CREATE TABLE IF NOT EXISTS note (n INTEGER PRIMARY KEY AUTOINCREMENT, consumer TEXT, key TEXT, payload TEXT)"
SEEDS = itertools.count()
Act = Callable[[Message], Awaitable[None]]


class Bed:
    """`orders` publishes, `billing` handles; what was handled is in billing's table `note`."""

    def __init__(self, folder: Path, clock: VirtualClock | None = None) -> None:
        self.folder = folder
        self.clock = clock or VirtualClock(seed=next(SEEDS))  # after a restart identifiers must not come again
        self.tasks = Tasks()
        self.broker = MemoryBroker()
        self.orders = SqliteStorage("orders", folder / "orders.sqlite", TEMPORARY)
        self.billing = SqliteStorage("billing", folder / "billing.sqlite", TEMPORARY)
        self.relay = Relay(
            self.orders, self.broker, clock=self.clock, spawn=self.tasks.spawn, topics={TOPIC, "orders.Lost"}
        )
        self.consumers: dict[str, tuple[Consumer, Lanes, Replays]] = {}
        self.attempts: list[Attempt] = []
        self.operations = EventOperations(
            {"orders": self.orders, "billing": self.billing},
            clock=self.clock,
            replay_due=lambda consumer: self.consumers[consumer][2].wake(),
        )

    async def open(self) -> None:
        for storage in (self.orders, self.billing):
            await storage.open([*STORAGE_TABLES, *EVENT_TABLES, NOTES])

    async def subscribe(
        self,
        act: Act | None = None,
        *,
        method: str = "note",
        retained: bool = False,
        retries: Retries | None = None,
        capacity: int = 1000,
    ) -> Consumer:
        """Have billing note what it gets, after `act`."""
        name = f"billing.{method}"
        consumer = Consumer(
            name,
            self.noting(name, act),
            storage=self.billing,
            clock=self.clock,
            retries=retries,
            report=self.attempts.append,
        )
        await consumer.open()
        lots = EventLots(consumer, storage=self.billing, clock=self.clock)
        lanes = Lanes(lots, spawn=self.tasks.spawn, clock=self.clock, capacity=capacity)
        replays = Replays(consumer.letters, lanes, clock=self.clock, spawn=self.tasks.spawn)
        past = await remember(self.billing, name, [TOPIC], clock=self.clock, retained=retained)
        await self.broker.subscribe(Subscription(name, frozenset({TOPIC}), lanes, past))
        self.consumers[name] = consumer, lanes, replays
        return consumer

    @staticmethod
    def noting(name: str, act: Act | None) -> Handler:
        async def handle(message: Message) -> None:
            unit().defer(Write("INSERT INTO note (consumer, key, payload) VALUES (?, ?, ?)", [row(name, message)]))
            if act is not None:
                await act(message)

        return handle

    async def start(self) -> None:
        for _, _, replays in self.consumers.values():
            replays.start()
        await self.relay.start()

    async def publish(self, *numbers: int, key: str | None = None, topic: str = TOPIC) -> list[str]:
        """Publish in one transaction; the payload is the number."""
        work = self.orders.unit()
        messages = [self.message(number, key=key, topic=topic) for number in numbers]
        for message in messages:
            work.defer(publish_write(message))
        work.after_commit(self.relay.wake)
        await work.commit()
        return [message.id for message in messages]

    def message(self, number: int, *, key: str | None = None, topic: str = TOPIC) -> Message:
        return Message(id=self.clock.id(), topic=topic, key=key, payload=str(number).encode(), at=self.clock.time())

    async def notes(self, *, consumer: str = "billing.note", key: str | None = None) -> list[int]:
        """What was handled, in order."""
        rows = await self.billing.fetch("SELECT payload, key FROM note WHERE consumer = ? ORDER BY n", consumer)
        return [int(payload) for payload, of in rows if key is None or of == key]

    async def unsent(self) -> int:
        return int((await self.orders.fetch("SELECT COUNT(*) FROM ramet_outbox WHERE sent_at IS NULL"))[0][0])

    async def drain(self) -> None:
        """Let time pass until every event is handled and marked as sent."""

        async def all_sent() -> bool:
            return await self.unsent() == 0

        await self.until(all_sent)

    async def noted(self, count: int, *, consumer: str = "billing.note") -> None:
        """Let time pass until so many are handled."""

        async def enough() -> bool:
            return len(await self.notes(consumer=consumer)) >= count

        await self.until(enough)

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float = 600.0) -> None:
        """Let virtual time pass until it holds."""
        left = seconds
        while not await condition():
            assert left > 0, "it did not come to hold"
            await self.clock.settle()
            step = max(self.clock.next_wake or 0.0, 0.01)
            await self.clock.advance(step)
            left -= step

    async def stop(self) -> None:
        """As at a shutdown."""
        for _, lanes, replays in self.consumers.values():
            await replays.stop()
            await lanes.close()
        await self.relay.stop()
        await self.abandon()

    async def abandon(self) -> None:
        """As at a crash: whatever runs ends where it is, and nothing is said to anybody."""
        await self.tasks.stop()
        for storage in (self.orders, self.billing):
            await storage.close()


def unit() -> Unit:
    scope = current_scope.get()
    assert scope is not None
    assert isinstance(scope.unit, Unit)
    return scope.unit


def row(name: str, message: Message) -> tuple[Any, ...]:
    return name, message.key, message.payload.decode()


@asynccontextmanager
async def bed(folder: Path, *, clock: VirtualClock | None = None) -> AsyncIterator[Bed]:
    """An open bed, stopped afterwards."""
    made = Bed(folder, clock)
    await made.open()
    try:
        yield made
    finally:
        await made.stop()


def numbers(count: int) -> Sequence[int]:
    return range(1, count + 1)
