"""Somebody makes a connection forget its prepared statements: it is replaced, with and without a pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ramet.errors import StorageError
from ramet.storage.base import Unit, Write
from ramet.storage.postgres import steps
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT)",)
MARK = "INSERT INTO mark (key) VALUES (?)"
FORGET = "DEALLOCATE ALL"
numbers = count()


@pytest.fixture(params=["pipeline", "steps"])
async def storage(
    server: PostgresServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PostgresStorage]:
    if request.param == "steps":
        monkeypatch.setattr(steps, "Pipeline", None)
    options = PostgresOptions(units=1, readers=1)
    made = PostgresStorage(f"deallocated_{next(numbers)}", f"{server.url}/postgres", options)
    await made.open((*SCHEMA, *TABLES))
    yield made
    await made.close()


async def work(unit: Unit, kind: str) -> None:
    if kind == "run":
        await unit.run(text("INSERT INTO mark VALUES ('a')"))
    elif kind == "execute":
        await unit.execute(MARK, "a")
    elif kind == "fetch":
        await unit.fetch("SELECT key FROM mark")
    else:
        async with unit.session() as session:
            await session.execute(text("INSERT INTO mark VALUES ('a')"))


async def worked(storage: PostgresStorage, kind: str, *, forgets: bool = False) -> bool:
    unit = storage.unit()
    try:
        await work(unit, kind)
        if forgets:
            driver = (await (await unit.connection()).get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute(FORGET)
            await work(unit, kind)
        unit.defer(Write(MARK, [("deferred",)]))
        await unit.commit()
    except (StorageError, DBAPIError) as error:
        assert "prepared statement" in str(error)  # noqa: PT017 - whether it is raised is the caller's to say
        return False
    finally:
        await unit.rollback()
    return True


@pytest.mark.parametrize("kind", ["run", "execute", "fetch", "session"])
async def test_at_most_the_work_that_meets_it_fails(storage: PostgresStorage, kind: str) -> None:
    assert await worked(storage, kind)
    await worked(storage, kind, forgets=True)
    assert await worked(storage, kind)
    assert storage._units is not None
    channel = await storage._units.take()
    await channel.raw.execute(FORGET)
    storage._units.give(channel)
    await worked(storage, kind)
    assert await worked(storage, kind)


async def test_no_query_fails(storage: PostgresStorage) -> None:
    for _ in range(2):
        assert await storage.fetch("SELECT key FROM mark") == []
        assert storage._readers is not None
        channel = await storage._readers.take()
        await channel.raw.execute(FORGET)
        storage._readers.give(channel)
