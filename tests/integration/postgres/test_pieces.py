"""The server's bytes arrive in any pieces, under load: each command is given its own answer, and the books balance."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from sqlalchemy import text

from ramet.errors import DuplicateRow, Refusal
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.base import Unit, Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.telemetry.scope import FreshKey, Scope, Work
from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.proxy import Proxy, any_pieces

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
MARK = "INSERT INTO mark (key) VALUES (?)"
CODEC = AnswerCodec[str](str.encode, bytes.decode, lambda _: b"", lambda _: Refusal())
CUSTOMERS, TURNS = 8, 12
numbers = count()


class Shop:
    """Commands, refusals, queries and rows of its own, all on two connections for units."""

    def __init__(self, storage: PostgresStorage) -> None:
        self.storage = storage
        self.answers = Answers(storage, "mark", lambda: 1.0)
        self.expected = set[str]()

    async def command(self, key: str, *, refuses: bool) -> str:
        scope = Scope(self.storage.service, Work.COMMAND, "mark", key)

        async def body() -> str:
            assert isinstance(scope.unit, Unit)
            await scope.unit.run(text(f"INSERT INTO mark VALUES ('{key}')"))
            scope.unit.defer(Write(MARK, [(f"{key} event",)]))
            if refuses:
                raise Refusal
            return f"answer to {key}"

        return await self.answers.once(scope, FreshKey(key), body, CODEC)

    async def customer(self, name: int) -> None:
        for number in range(TURNS):
            key = f"{name}-{number}"
            refuses = number % 3 == 2
            try:
                assert await self.command(key, refuses=refuses) == f"answer to {key}"
            except Refusal:
                assert refuses
            else:
                self.expected |= {key, f"{key} event"}
                assert await self.command(key, refuses=False) == f"answer to {key}"
            found = await self.storage.fetch("SELECT ? || key FROM mark WHERE key = ?", f"{name}:", key)
            assert found == ([] if refuses else [(f"{name}:{key}",)])
            await self.storage.write(Write(MARK, [(f"{key} row",)]))
            self.expected.add(f"{key} row")
            with pytest.raises(DuplicateRow):
                await self.storage.write(Write(MARK, [(f"{key} row",)]))


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_is_given_their_own_answers(server: PostgresServer, seed: int) -> None:
    async with Proxy(server.port, any_pieces(seed)).running() as proxy:
        url = f"{server.url}/postgres".replace(f":{server.port}/", f":{proxy.port}/")
        storage = PostgresStorage(f"pieces_{next(numbers)}", url, PostgresOptions(units=2))
        await storage.open((*SCHEMA, *TABLES))
        shop = Shop(storage)
        await asyncio.gather(*map(shop.customer, range(CUSTOMERS)))
        assert {key for (key,) in await storage.fetch("SELECT key FROM mark")} == shop.expected
        await storage.close()
