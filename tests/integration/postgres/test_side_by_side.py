"""Statements and sessions of one unit, used side by side: a statement that fails undoes nothing but itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
SESSIONS = 6
numbers = count()


@pytest.fixture
async def storage(server: PostgresServer) -> AsyncIterator[PostgresStorage]:
    made = PostgresStorage(f"beside_{next(numbers)}", f"{server.url}/postgres")
    await made.open((*SCHEMA, *TABLES))
    yield made
    await made.close()


@pytest.mark.parametrize("later", range(4))
async def test_what_sessions_do_meanwhile_is_kept(storage: PostgresStorage, later: int) -> None:
    unit = storage.unit()

    async def add(number: int) -> None:
        async with unit.session() as session:
            await session.execute(text(f"INSERT INTO mark VALUES ('{number}')"))

    async def fail() -> None:
        for _ in range(later):
            await asyncio.sleep(0)
        with pytest.raises(IntegrityError):
            await unit.run(text("INSERT INTO mark VALUES ('first')"))

    await unit.run(text("INSERT INTO mark VALUES ('first')"))
    async with unit.session() as session:
        await session.execute(text("SELECT 1"))
        await asyncio.gather(*map(add, range(SESSIONS)), fail())
    await unit.commit()
    assert await storage.fetch("SELECT key FROM mark ORDER BY key") == [
        *((str(number),) for number in range(SESSIONS)),
        ("first",),
    ]
