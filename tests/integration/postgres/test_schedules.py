"""Schedules of one service on PostgreSQL are in nobody's way, for however long each of them runs."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from ramet.clock import SystemClock
from ramet.contract.timetable import timetable
from ramet.runtime.schedules import SCHEMA, Schedule, Schedules
from ramet.storage.base import Unit
from ramet.storage.leases import Leases
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from ramet.telemetry.scope import current_scope
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")
CLOCK = SystemClock()
NOTES = "CREATE TABLE IF NOT EXISTS note (key TEXT)"
RUNS = 4


class Process:
    """One of two that share the schedules: a slow one, which begins with a statement, and a quick one."""

    def __init__(self, url: str, begun: list[str], quick: asyncio.Semaphore) -> None:
        self.tasks = Tasks()
        self.storage = PostgresStorage("clocks", url)
        self.leases = Leases(self.storage, clock=CLOCK, spawn=self.tasks.spawn)
        self._begun = begun
        self._quick = quick
        both = [
            Schedule(name=f"clocks.{run.__name__}", timetable=timetable("1s", "UTC"), run=run)
            for run in (self.slow, self.quick)
        ]
        self.schedules = Schedules(self.storage, both, clock=CLOCK, spawn=self.tasks.spawn)
        self.schedules.share(self.leases)

    async def start(self) -> None:
        await self.storage.open((*STORAGE_TABLES, *SCHEMA, NOTES))
        await self.leases.join()
        await self.schedules.start()

    async def stop(self) -> None:
        await self.schedules.stop()
        await self.leases.leave()
        await self.tasks.stop()
        await self.storage.close()

    async def analyse(self) -> None:
        """As the server does by itself: from then on it knows how small the tables are, and reads them as a whole."""
        async with self.storage.maintenance() as connection:
            await connection.execute(text("ANALYZE"))

    async def slow(self) -> None:
        self._begun.append(await self._write("UPDATE note SET key = 'other' WHERE key = 'none'"))
        for _ in range(2):
            await self._quick.acquire()

    async def quick(self) -> None:
        await self._write("INSERT INTO note VALUES ('quick')")
        self._quick.release()

    async def _write(self, sql: str) -> str:
        scope = current_scope.get()
        assert scope is not None
        assert scope.key is not None
        scope.unit = scope.unit or self.storage.unit()
        assert isinstance(scope.unit, Unit)
        await scope.unit.run(text(sql))
        return scope.key


async def test_one_that_takes_long_is_not_run_again_for_others(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ramet.runtime.schedules.LEASE_SECONDS", 0.3)
    begun: list[str] = []
    quick = asyncio.Semaphore(0)
    processes = [Process(f"{server.url}/postgres", begun, quick) for _ in range(2)]
    for process in processes:
        await process.start()
    await processes[0].analyse()
    async with asyncio.timeout(60):
        while len(begun) < RUNS:
            await CLOCK.sleep(0.05)
    seen = tuple(begun)
    for process in processes:  # what the first has to break off, the other may begin once more
        await process.stop()
    assert len(set(seen)) == len(seen)
