"""A server that vanishes without a word: nobody waits for ever, and what may have happened is said to be unknown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text

from ramet.errors import CommitUnknown, StorageUnavailable
from ramet.storage.base import Unit, Write
from ramet.storage.postgres import pool
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.proxy import Proxy

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
MARK = "INSERT INTO mark (key) VALUES (?)"
HASTY = PostgresOptions(units=1, connect_seconds=5, answer_seconds=0.2)
numbers = count()


@pytest.fixture
async def storage(server: PostgresServer, proxy: Proxy) -> AsyncIterator[PostgresStorage]:
    url = f"{server.url}/postgres".replace(f":{server.port}/", f":{proxy.port}/")
    made = PostgresStorage(f"hole_{next(numbers)}", url, HASTY)
    await made.open((*SCHEMA, *TABLES))
    yield made
    await made.close()


async def marks(storage: PostgresStorage) -> list[str]:
    return [key for (key,) in await storage.fetch("SELECT key FROM mark ORDER BY key")]


async def mark(storage: PostgresStorage, key: str, told: list[str] | None = None) -> None:
    unit = storage.unit()
    await unit.run(text(f"INSERT INTO mark VALUES ('{key}')"))
    await event(unit, key, told)


async def event(unit: Unit, key: str, told: list[str] | None = None) -> None:
    unit.defer(Write(MARK, [(f"{key} event",)]))
    if told is not None:
        unit.after_commit(lambda: told.append(f"{key} durable"), lambda: told.append(f"{key} unknown"))
    await unit.commit()


async def test_a_commit_that_is_swallowed_is_unknown_and_the_next_one_works(
    storage: PostgresStorage, proxy: Proxy
) -> None:
    await mark(storage, "before")
    proxy.swallows = b"lost event"
    with pytest.raises(CommitUnknown, match=r"no answer within 0\.2 s"):
        await mark(storage, "lost")
    await mark(storage, "after")
    assert await marks(storage) == ["after", "after event", "before", "before event"]


async def test_who_waits_for_a_commit_is_told_that_it_is_unknown_also_where_it_was_cancelled(
    storage: PostgresStorage, proxy: Proxy
) -> None:
    told: list[str] = []
    await mark(storage, "a", told)
    await event(storage.unit(), "b", told)
    proxy.swallows = b"event"
    for work in (mark(storage, "c", told), event(storage.unit(), "d", told)):
        swallowed = asyncio.ensure_future(work)
        await proxy.swallowed.wait()
        proxy.swallowed.clear()
        swallowed.cancel()
        await asyncio.wait((swallowed,))
    assert told == ["a durable", "b durable", "c unknown", "d unknown"]


async def test_rows_that_are_swallowed_are_unknown_and_the_next_ones_are_written(
    storage: PostgresStorage, proxy: Proxy
) -> None:
    proxy.swallows = b"lost"
    with pytest.raises(CommitUnknown):
        await storage.write(Write(MARK, [("lost",)]))
    await storage.write(Write(MARK, [("after",)]))
    assert await marks(storage) == ["after"]


async def test_rows_of_ramet_that_are_read_are_not_waited_for_for_ever(storage: PostgresStorage, proxy: Proxy) -> None:
    await mark(storage, "before")
    proxy.swallows = b"nowhere"
    async with asyncio.timeout(20):
        with pytest.raises(StorageUnavailable, match=r"no answer within 0\.2 s"):
            await storage.fetch("SELECT 'nowhere'")
        assert await marks(storage) == ["before", "before event"]


async def test_a_connection_that_is_asked_whether_it_is_there_is_not_waited_for_for_ever(
    storage: PostgresStorage, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LONG_IDLE_SECONDS", 0.0)
    await storage.write(Write(MARK, [("before",)]))
    proxy.swallows = b"SELECT 1"
    async with asyncio.timeout(20):
        await storage.write(Write(MARK, [("after",)]))
    assert proxy.swallowed.is_set()
    assert await marks(storage) == ["after", "before"]


async def test_a_server_that_accepts_and_says_nothing_is_not_waited_for_for_ever(
    server: PostgresServer, proxy: Proxy
) -> None:
    url = f"{server.url}/postgres".replace(f":{server.port}/", f":{proxy.port}/")
    made = PostgresStorage(f"hole_{next(numbers)}", url, HASTY)
    proxy.swallows = b"pg_catalog.version()"
    async with asyncio.timeout(20):
        with pytest.raises(StorageUnavailable, match=r"no answer within 0\.2 s"):
            await made.open(SCHEMA)
    assert proxy.swallowed.is_set()


async def test_a_listener_whose_listening_is_swallowed_listens_on_another_connection(
    storage: PostgresStorage, proxy: Proxy
) -> None:
    woken = asyncio.Event()
    proxy.swallows = b"LISTEN"
    storage.listen("news", woken.set)
    async with asyncio.timeout(20):
        await proxy.swallowed.wait()
        proxy.swallows = None
        await woken.wait()


async def test_a_statement_that_is_swallowed_and_cancelled_costs_one_connection(
    storage: PostgresStorage, proxy: Proxy
) -> None:
    proxy.swallows = b"nowhere"
    unit = storage.unit()
    waiting = asyncio.ensure_future(unit.run(text("SELECT 'nowhere'")))
    await proxy.swallowed.wait()
    waiting.cancel()
    await asyncio.wait((waiting,))
    await unit.rollback()
    await mark(storage, "after")
    assert await marks(storage) == ["after", "after event"]
