"""One of several processes of a service: `python worker.py URL NAME`.

While the table `phase` is empty it takes orders, each with an event and a saga in one transaction, and approves those
of everybody. Its participants keep books of their own, under the rules of real ones: a command is executed once for
each key. Its broker writes down what it is given.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any

from ramet.clock import SystemClock
from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Event, Struct
from ramet.contract.timetable import timetable
from ramet.errors import Refusal, StorageError
from ramet.events.base import Broker, Delivery, Done, Message, Outlet, Sink, Subscription
from ramet.events.outbox import publish_write
from ramet.events.relay import Relay
from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.runtime.schedules import SCHEMA as SCHEDULE_TABLES
from ramet.runtime.schedules import Schedule, Schedules
from ramet.sagas.definition import make_definition
from ramet.sagas.engine import SagaEngine
from ramet.sagas.journal import SCHEMA as SAGA_TABLES
from ramet.storage.base import Storage, Unit, Write
from ramet.storage.leases import Leases
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.storage.work import transact
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.telemetry.scope import Scope, Work, current_scope

BOOKS = (
    """CREATE TABLE IF NOT EXISTS effect (key TEXT PRIMARY KEY, method TEXT NOT NULL, number TEXT NOT NULL,
        refused INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS sent (event_id TEXT NOT NULL, worker TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tick (due TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS phase (name TEXT PRIMARY KEY)",
)
CLOCK = SystemClock()
COMMANDS = ("reserve", "release", "charge", "refund", "ship")


class SoldOut(Refusal):
    """There is none left."""


class Approved(Event, key="number"):
    number: str


class Books:
    """The participants."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def call(self, method: str, number: str) -> None:
        """A command; every fifth order is refused by the carrier."""
        scope = current_scope.get()
        assert scope is not None
        key = scope.command_key(method)
        refused = method == "ship" and number.endswith(("0", "5"))
        sql = "INSERT INTO effect VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        await self.storage.write(Write(sql, [(key, method, number, int(refused))]))
        ((refused, number),) = await self.storage.fetch("SELECT refused, number FROM effect WHERE key = ?", key)
        if refused:
            raise SoldOut

    async def withdraw(self, method: str, key: str) -> None:
        """A key that was not used is used up."""
        sql = "INSERT INTO effect VALUES (?, ?, '-', 1) ON CONFLICT DO NOTHING"
        await self.storage.write(Write(sql, [(key, method)]))


class Order(Saga):
    """Reserve, charge, wait for approval, ship."""

    books: Books

    class State(Struct):
        number: str

    @step(attempts=100)
    async def reserve(self, state: State) -> State:
        await self.books.call("reserve", state.number)
        return state

    @reserve.undo
    async def release(self, state: State) -> None:
        await self.books.call("release", state.number)

    @step(attempts=100)
    async def charge(self, state: State) -> State:
        await self.books.call("charge", state.number)
        return state

    @charge.undo
    async def refund(self, state: State) -> None:
        await self.books.call("refund", state.number)

    @wait(Approved)
    async def approved(self, state: State, event: Approved) -> State:
        return state

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        await self.books.call("ship", state.number)
        return state


class Paper(Broker, Sink):
    """Writes down what it is given, one after the other."""

    def __init__(self, storage: Storage, name: str, tasks: Tasks) -> None:
        self._storage = storage
        self._name = name
        self._tasks = tasks

    def put(self, delivery: Delivery, done: Done) -> None:
        self._tasks.spawn(self._note(delivery.message, done))

    async def _note(self, message: Message, done: Done) -> None:
        while True:
            try:
                await self._storage.write(Write("INSERT INTO sent VALUES (?, ?)", [(message.id, self._name)]))
            except StorageError:
                await CLOCK.sleep(0.1)
            else:
                return done()

    async def room(self) -> int:
        return 100

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def subscribe(self, subscription: Subscription) -> None: ...

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:
        return (Outlet("paper", None, self),)


class Worker:
    """Everything that the runtime would put together."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.clock = CLOCK
        self.tasks = Tasks()
        self.storage = PostgresStorage("orders", url)
        self.books = PostgresStorage("books", url)
        saga = Order()
        saga.books = Books(self.books)
        self.engine = SagaEngine(
            "orders",
            [make_definition(Order, saga, COMMANDS)],
            storage=self.storage,
            clock=self.clock,
            spawn=self.tasks.spawn,
            withdraw=saga.books.withdraw,
        )
        broker = Paper(self.books, name, self.tasks)
        self.relay = Relay(self.storage, broker, clock=self.clock, spawn=self.tasks.spawn)
        tick = Schedule(name="orders.tick", timetable=timetable("1s", "UTC"), run=self._tick)
        self.schedules = Schedules(self.storage, [tick], clock=self.clock, spawn=self.tasks.spawn)
        self.leases = Leases(self.storage, clock=self.clock, spawn=self.tasks.spawn, about=self.engine.versions)
        for part in (self.engine, self.relay, self.schedules):
            part.share(self.leases)

    async def open(self) -> None:
        await self.books.open(BOOKS)
        await self.storage.open((*STORAGE_TABLES, *EVENT_TABLES, *SAGA_TABLES, *SCHEDULE_TABLES, *BOOKS))
        await self.leases.join()
        await self.engine.check()
        await self.relay.start()
        await self.engine.start()
        await self.schedules.start()

    async def _tick(self) -> None:
        scope = current_scope.get()
        assert scope is not None
        self._unit(scope).defer(Write("INSERT INTO tick VALUES (?)", [(scope.key,)]))

    def _unit(self, scope: Scope) -> Unit:
        if scope.unit is None:
            scope.unit = self.storage.unit()
        assert isinstance(scope.unit, Unit)
        return scope.unit

    async def take_orders(self) -> None:
        number = 0
        while not await self.books.fetch("SELECT 1 FROM phase"):
            number += 1
            await self._work("place", partial(self._place, f"{self.name}-{number}"))
            await self.clock.sleep(0.01)

    async def _place(self, number: str) -> None:
        scope = current_scope.get()
        assert scope is not None
        context = Context(execution="e", trace="t")
        await self.engine.begin(self._unit(scope), Order, key=number, state=Order.State(number=number), context=context)
        message = Message(id=number, topic="orders.Placed", key=number, at=self.clock.time())
        scope.unit.defer(publish_write(message))  # type: ignore[attr-defined]  # the scope knows its unit as an object
        scope.unit.after_commit(self.relay.wake)  # type: ignore[attr-defined]  # as above

    async def approve(self) -> None:
        """Somebody's orders; each is approved once or more."""
        while True:
            sql = "SELECT business_key FROM ramet_saga WHERE ended_at IS NULL ORDER BY random() LIMIT 20"
            try:
                for (number,) in await self.storage.fetch(sql):
                    await self._work("approve", partial(self.engine.signal, Order, Approved(number=number)))
            except StorageError:
                pass
            await self.clock.sleep(0.05)

    async def _work(self, name: str, body: Callable[[], Awaitable[Any]]) -> None:
        try:
            await transact(self.storage, Scope("orders", Work.HANDLER, name, self.clock.id()), body)
        except StorageError:
            await self.clock.sleep(0.1)


async def main(url: str, name: str) -> None:
    """Work until killed."""
    worker = Worker(url, name)
    await worker.open()
    sys.stdout.write("running\n")
    sys.stdout.flush()
    worker.tasks.spawn(worker.approve())
    while True:
        try:
            await worker.take_orders()
        except StorageError:
            await worker.clock.sleep(0.1)
        else:
            break
    await worker.clock.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
