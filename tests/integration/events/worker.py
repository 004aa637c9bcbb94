"""A process that sells and bills without end, or until everything is billed; it is killed from outside.

python -m tests.integration.events.worker FOLDER (sell | drain)
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ramet.clock import SystemClock
from ramet.events.base import Message, Subscription
from ramet.events.brokers.memory import MemoryBroker
from ramet.events.inbox import Consumer
from ramet.events.lanes import Lanes
from ramet.events.outbox import publish_write
from ramet.events.relay import Relay
from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.storage.base import Unit
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from ramet.telemetry.scope import current_scope

TOPIC = "shop.Sold"
SALES = "CREATE TABLE IF NOT EXISTS sale (n INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT, key TEXT)"
BILLS = "CREATE TABLE IF NOT EXISTS bill (n INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT, key TEXT)"
SIDE_BY_SIDE = 20


class Worker:
    """Two services of one process: the shop sells, the office bills."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.tasks = Tasks()
        self.shop = SqliteStorage("shop", folder / "shop.sqlite")
        self.office = SqliteStorage("office", folder / "office.sqlite")
        self.broker = MemoryBroker()
        self.relay = Relay(self.shop, self.broker, clock=self.clock, spawn=self.tasks.spawn, topics={TOPIC})

    async def open(self) -> None:
        await self.shop.open([*STORAGE_TABLES, *EVENT_TABLES, SALES])
        await self.office.open([*STORAGE_TABLES, *EVENT_TABLES, BILLS])
        consumer = Consumer("office.bill", self.bill, storage=self.office, clock=self.clock)
        await consumer.open()
        lanes = Lanes(consumer.deliver, spawn=self.tasks.spawn, clock=self.clock)
        await self.broker.subscribe(Subscription("office.bill", frozenset({TOPIC}), lanes))
        await self.relay.start()

    async def bill(self, message: Message) -> None:
        scope = current_scope.get()
        assert scope is not None
        assert isinstance(scope.unit, Unit)
        await scope.unit.execute("INSERT INTO bill (event_id, key) VALUES (?, ?)", message.id, message.key)
        if self.clock.random() < 0.05:
            raise RuntimeError("the printer jams now and then")

    async def sell(self, seller: int) -> None:
        while True:
            message = Message(id=self.clock.id(), topic=TOPIC, key=f"seller {seller}", at=self.clock.time())
            unit = self.shop.unit()
            await unit.execute("INSERT INTO sale (event_id, key) VALUES (?, ?)", message.id, message.key)
            unit.defer(publish_write(message))
            unit.after_commit(self.relay.wake)
            await unit.commit()
            sys.stdout.write(f"{message.id}\n")
            sys.stdout.flush()

    async def drain(self) -> None:
        while (await self.shop.fetch("SELECT COUNT(*) FROM ramet_outbox WHERE sent_at IS NULL")) != [(0,)]:
            await self.clock.sleep(0.01)


async def main(folder: Path, what: str) -> None:
    worker = Worker(folder)
    await worker.open()
    if what == "sell":
        await asyncio.gather(*(worker.sell(seller) for seller in range(SIDE_BY_SIDE)))
    await worker.drain()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
