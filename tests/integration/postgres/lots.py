"""Services whose commands run together, and what they leave behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Protocol

from sqlalchemy import text

from ramet.errors import Refusal
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.database import Database
from ramet.storage.lots.lot import Bounds
from ramet.storage.lots.lots import CommandLots
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.tasks import Tasks
from ramet.telemetry.scope import FreshKey, Scope, Work, current_scope
from ramet.testing.engines.postgres import PostgresServer

TABLES = (
    "CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, balance INTEGER NOT NULL)",
)


class No(Refusal):
    """Refused."""


CODEC = AnswerCodec[str](str.encode, bytes.decode, lambda _: b"", lambda _: No())
MANY = 20
ACCOUNTS = 3
KEYS = [f"{number:02}" for number in range(MANY)]
numbers = count()
CALM = Bounds(limit_seconds=60, gathering_seconds=60)
"""However slow the machine is, those who have gathered stay together; who waits for something else is cut off."""
Act = Callable[[str], Awaitable[object]]


class Service:
    """One process of a service: commands by the name of their method, run together where they may be."""

    def __init__(self, storage: PostgresStorage, tasks: Tasks, bounds: Bounds) -> None:
        self.storage = storage
        self.db = Database(storage)
        self.lots = CommandLots(storage, tasks.spawn, bounds)
        self.answers: dict[str, Answers] = {}
        self.runs: Counter[str] = Counter()
        self.units: dict[str, object] = {}

    async def command(self, key: str, act: Act, method: str = "mark", *, fresh: bool = True) -> str:
        scope = Scope(self.storage.service, Work.COMMAND, method, key)
        answers = self.answers.setdefault(method, Answers(self.storage, method, lambda: 1.0, self.lots))

        async def body() -> str:
            assert current_scope.get() is scope
            self.runs[key] += 1
            self.units[key] = getattr(scope.unit, "_lot", scope.unit)
            return str(await act(key))

        return await answers.once(scope, FreshKey(key) if fresh else key, body, CODEC)

    async def mark(self, key: str) -> str:
        await self.db.execute(text("INSERT INTO mark VALUES (:key)"), {"key": key})
        return f"answer to {key}"

    async def warm(self, method: str = "mark") -> None:
        """The first command of a method goes by itself."""
        await self.command(f"warm {method}", self.mark, method)

    async def marks(self) -> list[str]:
        rows = await self.storage.fetch("SELECT key FROM mark WHERE key NOT LIKE 'warm%' ORDER BY key")
        return [row[0] for row in rows]

    async def answered(self) -> list[str]:
        rows = await self.storage.fetch("SELECT key FROM ramet_inbox WHERE key NOT LIKE 'warm%' ORDER BY key")
        return [row[0] for row in rows]

    def together(self, *keys: str) -> bool:
        return len({id(self.units[key]) for key in keys}) == 1


class MakeService(Protocol):
    """Opens a process of the service."""

    async def __call__(self, bounds: Bounds = CALM) -> Service: ...


@asynccontextmanager
async def services(server: PostgresServer) -> AsyncIterator[MakeService]:
    """Each a process of one and the same service."""
    tasks, opened, name = Tasks(), list[PostgresStorage](), f"lots_{next(numbers)}"

    async def make(bounds: Bounds = CALM) -> Service:
        storage = PostgresStorage(name, f"{server.url}/postgres")
        await storage.open((*SCHEMA, *TABLES))
        opened.append(storage)
        return Service(storage, tasks, bounds)

    try:
        yield make
    finally:
        await tasks.stop()
        for storage in opened:
            await storage.close()
