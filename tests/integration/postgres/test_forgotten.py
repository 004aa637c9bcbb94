"""Connections that were forgotten while they were idle: all of them are replaced, and nobody is told of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest
from sqlalchemy import text

from ramet.storage.base import Unit, Write
from ramet.storage.postgres import pool
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.proxy import Proxy

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
IDLE = 4
numbers = count()


@pytest.fixture
async def storage(server: PostgresServer, proxy: Proxy) -> AsyncIterator[PostgresStorage]:
    url = f"{server.url}/postgres".replace(f":{server.port}/", f":{proxy.port}/")
    made = PostgresStorage(f"forgotten_{next(numbers)}", url, PostgresOptions(units=IDLE, readers=IDLE))
    await made.open((*SCHEMA, *TABLES))
    yield made
    await made.close()


async def statement(unit: Unit) -> None:
    await unit.run(text("INSERT INTO mark VALUES ('a')"))


async def row(unit: Unit) -> None:
    await unit.execute("INSERT INTO mark (key) VALUES (?)", "a")


async def session(unit: Unit) -> None:
    async with unit.session() as session:
        await session.execute(text("INSERT INTO mark VALUES ('a')"))


async def all_idle(storage: PostgresStorage) -> None:
    """As many connections as there may be, all of which nobody uses any more."""
    units = [storage.unit() for _ in range(IDLE)]
    for unit in units:
        await unit.run(text("SELECT 1"))
    for unit in units:
        await unit.commit()
    await asyncio.gather(*(storage.fetch("SELECT 1 FROM pg_sleep(0.05)") for _ in range(IDLE)))


@pytest.mark.parametrize("work", [statement, row, session])
async def test_a_unit_passes_them_all_by(
    storage: PostgresStorage, proxy: Proxy, work: Callable[[Unit], Awaitable[None]]
) -> None:
    await all_idle(storage)
    proxy.forget()
    unit = storage.unit()
    await work(unit)
    await unit.commit()
    assert await storage.fetch("SELECT key FROM mark") == [("a",)]


async def test_a_query_passes_them_all_by(storage: PostgresStorage, proxy: Proxy) -> None:
    await all_idle(storage)
    proxy.forget()
    assert await storage.fetch("SELECT 1") == [(1,)]
    await all_idle(storage)
    proxy.forget()
    assert (await storage.read(text("SELECT 2"))).scalar() == 2
    await all_idle(storage)
    proxy.forget()
    async with storage.reading_session() as session:
        assert (await session.execute(text("SELECT 3"))).scalar() == 3


async def test_rows_that_cannot_be_sent_twice_are_not_sent_into_the_void(
    storage: PostgresStorage, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LONG_IDLE_SECONDS", 0.0)
    mark = "INSERT INTO mark (key) VALUES (?)"
    await storage.write(Write(mark, [("a",)]))
    proxy.forget()
    await storage.write(Write(mark, [("b",)]))
    assert await storage.fetch("SELECT key FROM mark ORDER BY key") == [("a",), ("b",)]
