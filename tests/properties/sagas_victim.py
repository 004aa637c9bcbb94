"""A process that runs sagas until it is killed: `python sagas_victim.py FOLDER COUNT`.

Its participants keep books of their own, in a second database, under the rules of real ones: a command is executed once
for each key. With the count 0 it finishes what is in flight, and ends.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from ramet.clock import SystemClock
from ramet.contract.saga import Saga, step
from ramet.contract.struct import Struct
from ramet.errors import Refusal
from ramet.sagas.definition import make_definition
from ramet.sagas.engine import SagaEngine
from ramet.sagas.journal import SCHEMA
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.telemetry.context import Context
from ramet.telemetry.scope import current_scope

BOOKS = "CREATE TABLE IF NOT EXISTS effect (key TEXT PRIMARY KEY, method TEXT, number INTEGER, refused INTEGER)"


class SoldOut(Refusal):
    """There is none left."""


class Books:
    """The participants."""

    def __init__(self, path: Path) -> None:
        self.raw = sqlite3.connect(path, isolation_level=None)
        self.raw.execute("PRAGMA journal_mode=WAL")
        self.raw.execute(BOOKS)

    async def call(self, method: str, number: int) -> None:
        """A command; every fifth order is refused by the carrier."""
        scope = current_scope.get()
        assert scope is not None
        key = scope.command_key(method)
        await asyncio.to_thread(int)  # a call takes its time
        refused = method == "ship" and number % 5 == 0
        self.raw.execute(
            "INSERT INTO effect VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (key, method, number, refused)
        )
        if refused:
            raise SoldOut

    async def withdraw(self, method: str, key: str) -> None:
        """A key that was not used is used up."""
        self.raw.execute("INSERT INTO effect VALUES (?, ?, -1, 1) ON CONFLICT DO NOTHING", (key, method))


class Order(Saga):
    """Reserve, charge, ship."""

    books: Books

    class State(Struct):
        number: int

    @step
    async def reserve(self, state: State) -> State:
        await self.books.call("reserve", state.number)
        return state

    @reserve.undo
    async def release(self, state: State) -> None:
        await self.books.call("release", state.number)

    @step
    async def charge(self, state: State) -> State:
        await self.books.call("charge", state.number)
        return state

    @charge.undo
    async def refund(self, state: State) -> None:
        await self.books.call("refund", state.number)

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        await self.books.call("ship", state.number)
        return state


async def main(folder: Path, count: int) -> None:
    """Start sagas, twenty at a time, until there are `count` of them."""
    storage, clock, books, tasks = (
        SqliteStorage("orders", folder / "orders.sqlite"),
        SystemClock(),
        Books(folder / "b"),
        set(),
    )
    await storage.open(SCHEMA)

    def spawn(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    saga = Order()
    saga.books = books
    definition = make_definition(Order, saga, ("reserve", "release", "charge", "refund", "ship"))
    engine = SagaEngine("orders", [definition], storage=storage, clock=clock, spawn=spawn, withdraw=books.withdraw)
    await engine.start()
    sys.stdout.write("running\n")
    sys.stdout.flush()
    (first,) = (await storage.fetch("SELECT count(*) FROM ramet_saga"))[0]
    context = Context(execution="e", trace="t")
    for number in range(first, count):
        await engine.launch(Order, key=str(number), state=Order.State(number=number), context=context)
        await clock.sleep(0.0005)
    while not engine.idle:
        await clock.sleep(0.01)
    await engine.stop()
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
