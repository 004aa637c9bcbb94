"""PostgreSQL goes away and comes back: what is provably undone says so, and everything is well soon after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text

from ramet.errors import CommitUnknown, StorageError, StorageUnavailable
from ramet.storage.base import Unit, Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.conformance.storage_shared import Heard
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
MARK = "INSERT INTO mark (key) VALUES (?)"
HASTY = PostgresOptions(connect_seconds=0.1)
PATIENT = PostgresOptions(connect_seconds=30)
numbers = count()


def storage_on(server: PostgresServer, options: PostgresOptions) -> PostgresStorage:
    return PostgresStorage(f"restart_{next(numbers)}", f"{server.url}/postgres", options)


@pytest.fixture
async def storage(server: PostgresServer) -> AsyncIterator[PostgresStorage]:
    if not server.is_running:
        server.start()
    storage = storage_on(server, PATIENT)
    await storage.open((*SCHEMA, *TABLES))
    yield storage
    if not server.is_running:
        server.start()
    await storage.close()


async def marks(storage: PostgresStorage) -> list[str]:
    return [key for (key,) in await storage.fetch("SELECT key FROM mark ORDER BY key")]


async def mark(storage: PostgresStorage, key: str) -> None:
    unit = storage.unit()
    try:
        await unit.execute(MARK, key)
        await unit.commit()
    finally:
        await unit.rollback()


@pytest.mark.parametrize("crash", [False, True])
async def test_after_a_restart_broken_connections_are_replaced(
    storage: PostgresStorage, server: PostgresServer, crash: bool
) -> None:
    await asyncio.gather(*(mark(storage, str(number)) for number in range(8)))
    server.kill() if crash else server.stop()
    server.start()
    await mark(storage, "unit")
    await storage.write(Write(MARK, [("row",)]))
    async with storage.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM mark"))).scalar_one() == 10
    await asyncio.gather(*(mark(storage, f"again {number}") for number in range(8)))
    assert len(await marks(storage)) == 18


async def use_for_ever(unit: Unit) -> None:
    """Who serves the connection outlives a killed server for a moment."""
    while True:
        await unit.fetch("SELECT 1")


async def test_a_unit_whose_server_went_away_was_not_committed(
    storage: PostgresStorage, server: PostgresServer
) -> None:
    unit = storage.unit()
    await unit.execute(MARK, "lost")
    server.kill()
    with pytest.raises(StorageUnavailable, match=r"nothing was committed"):
        await use_for_ever(unit)
    with pytest.raises(StorageUnavailable):
        await unit.commit()
    await unit.rollback()
    server.start()
    assert await marks(storage) == []


async def test_a_server_that_is_away_is_named(server: PostgresServer) -> None:
    storage = storage_on(server, HASTY)
    await storage.open((*SCHEMA, *TABLES))
    server.stop()
    try:
        with pytest.raises(StorageUnavailable, match=rf"127.0.0.1:{server.port} .*see whether PostgreSQL runs"):
            await storage.fetch("SELECT key FROM mark")
        with pytest.raises(StorageUnavailable):
            await storage.write(Write(MARK, [("a",)]))
        with pytest.raises(StorageUnavailable):
            await mark(storage, "b")
        with pytest.raises(StorageUnavailable):
            await storage_on(server, HASTY).open(())
    finally:
        server.start()
    await mark(storage, "c")
    assert await marks(storage) == ["c"]
    await storage.close()


async def test_what_arrives_while_the_server_is_away_waits_for_it(
    storage: PostgresStorage, server: PostgresServer
) -> None:
    await mark(storage, "before")
    server.stop()
    waiting = [asyncio.ensure_future(mark(storage, str(number))) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(server.start)
    await asyncio.gather(*waiting)
    assert len(await marks(storage)) == 21


async def test_killed_under_load_it_keeps_what_it_acknowledged(
    storage: PostgresStorage, server: PostgresServer
) -> None:
    acknowledged, refused, unknown = set[str](), set[str](), set[str]()

    async def customer(name: int) -> None:
        for number in range(60):
            key = f"{name}-{number}"
            try:
                await (mark(storage, key) if name % 2 else storage.write(Write(MARK, [(key,)])))
                acknowledged.add(key)
            except CommitUnknown:
                unknown.add(key)
            except StorageError:
                refused.add(key)

    async def chaos() -> None:
        for goal in (100, 200, 300):
            while len(acknowledged) < goal:  # noqa: ASYNC110 - the load has no event for it
                await asyncio.sleep(0)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

    await asyncio.gather(chaos(), *map(customer, range(12)))
    there = set(await marks(storage))
    assert acknowledged <= there
    assert not refused & there
    assert there <= acknowledged | unknown
    assert len(acknowledged) + len(refused) + len(unknown) == 720


async def test_listeners_are_woken_after_a_reconnection_and_hear_again(
    storage: PostgresStorage, server: PostgresServer
) -> None:
    other = PostgresStorage(storage.service, f"{server.url}/postgres", PATIENT)
    await other.open(())
    there = Heard()
    other.listen("outbox", there)
    while not there.count:
        storage.notify("outbox")
        await asyncio.sleep(0)
    server.kill()
    server.start()
    heard = there.count
    while there.count <= heard + 1:
        storage.notify("outbox")
        await asyncio.sleep(0)
    await other.close()


async def test_a_process_that_hangs_in_a_transaction_holds_nobody_up_for_ever(server: PostgresServer) -> None:
    storage = storage_on(server, PostgresOptions(idle_seconds=0.2))
    await storage.open((*SCHEMA, *TABLES))
    await storage.write(Write(MARK, [("a",)]))
    hanging = storage.unit()
    await hanging.execute("UPDATE mark SET key = ? WHERE key = ?", "b", "a")
    other = storage.unit()
    async with asyncio.timeout(20):
        assert await other.execute("UPDATE mark SET key = ? WHERE key = ?", "c", "a") == 1
    await other.commit()
    with pytest.raises((StorageUnavailable, CommitUnknown)):  # it may learn of its end in the middle of the commit
        await hanging.commit()
    await hanging.rollback()
    assert await marks(storage) == ["c"]
    await storage.close()


async def test_replicas_that_start_together_create_their_tables_once(server: PostgresServer) -> None:
    if not server.is_running:
        server.start()
    service = f"together_{next(numbers)}"
    storages = [PostgresStorage(service, f"{server.url}/postgres") for _ in range(8)]
    await asyncio.gather(*(storage.open((*SCHEMA, *TABLES)) for storage in storages))
    assert await marks(storages[3]) == []
    await asyncio.gather(*(storage.close() for storage in storages))
