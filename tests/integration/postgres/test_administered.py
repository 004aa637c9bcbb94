"""What an administrator does to PostgreSQL: nothing is committed, that is said, and afterwards all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import count

import asyncpg
import pytest
from sqlalchemy import Column, MetaData, Table, Text, insert, select

from ramet.errors import StorageRefused, StorageUnavailable
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.storage.work import transact
from ramet.telemetry.scope import Scope, Work
from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.test_restart import TABLES

pytestmark = pytest.mark.needs("postgresql")
MARK = Table("mark", MetaData(), Column("key", Text, primary_key=True))
numbers = count()


@pytest.fixture
async def operator(server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    if not server.is_running:
        server.start()
    connection = await asyncpg.connect(
        f"{server.url}/postgres", server_settings={"default_transaction_read_only": "off"}
    )
    yield connection
    await connection.close()


@pytest.fixture
async def role(operator: asyncpg.Connection) -> str:
    name = f"administered_{next(numbers)}"
    await operator.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'one'; GRANT CREATE ON DATABASE postgres TO {name}")
    return name


@pytest.fixture
async def storage(server: PostgresServer, role: str) -> AsyncIterator[PostgresStorage]:
    storage = PostgresStorage(role, f"postgresql://{role}:one@127.0.0.1:{server.port}/postgres")
    await storage.open((*SCHEMA, *TABLES))
    yield storage
    await storage.close()


async def works(storage: PostgresStorage, key: str) -> None:
    """A piece of work that writes with a statement of SQLAlchemy, and a query."""
    scope = Scope(storage.service, Work.COMMAND, "mark")

    async def body() -> None:
        assert scope.unit is not None
        await scope.unit.run(insert(MARK).values(key=key))

    await transact(storage, scope, body)
    assert (key,) in (await storage.read(select(MARK.c.key))).all()


@pytest.mark.parametrize(
    ("withdraw", "give"),
    [
        (["ALTER ROLE {0} SET default_transaction_read_only = on"], ["ALTER ROLE {0} RESET ALL"]),
        (["ALTER ROLE {0} PASSWORD 'two'"], ["ALTER ROLE {0} PASSWORD 'one'"]),
        (["ALTER ROLE {0} NOLOGIN"], ["ALTER ROLE {0} LOGIN"]),
        (["REVOKE ALL ON {0}.mark FROM {0}"], ["GRANT ALL ON {0}.mark TO {0}"]),
    ],
)
async def test_what_was_withdrawn_is_refused_until_it_is_given_back(
    storage: PostgresStorage, operator: asyncpg.Connection, withdraw: Sequence[str], give: Sequence[str]
) -> None:
    await works(storage, "before")
    await administer(operator, storage.service, withdraw)
    for _ in range(3):
        with pytest.raises(StorageRefused):
            await works(storage, "meanwhile")
    await administer(operator, storage.service, give)
    await works(storage, "after")
    assert [key for (key,) in await storage.fetch("SELECT key FROM mark ORDER BY key")] == ["after", "before"]


async def administer(operator: asyncpg.Connection, role: str, statements: Sequence[str]) -> None:
    """As an administrator does, who ends the connections that are there."""
    for statement in statements:
        await operator.execute(statement.format(role))
    await operator.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", role)


async def test_who_waits_for_a_lock_in_vain_is_told_that_nothing_was_done(
    storage: PostgresStorage, operator: asyncpg.Connection
) -> None:
    await administer(operator, storage.service, ["ALTER ROLE {0} SET lock_timeout = '500ms'"])
    await works(storage, "before")
    async with operator.transaction():
        await operator.execute(f"LOCK TABLE {storage.service}.mark")
        with pytest.raises(StorageUnavailable, match="lock timeout"):
            await works(storage, "meanwhile")
        with pytest.raises(StorageUnavailable, match="lock timeout"):
            await storage.read(select(MARK.c.key))
    await works(storage, "after")
    assert [key for (key,) in await storage.fetch("SELECT key FROM mark ORDER BY key")] == ["after", "before"]


async def test_what_is_refused_is_asked_for_once(
    storage: PostgresStorage, operator: asyncpg.Connection, server: PostgresServer
) -> None:
    await works(storage, "before")
    await operator.execute(f"REVOKE INSERT ON {storage.service}.mark FROM {storage.service}")
    before = server._log.read_text().count("permission denied")
    with pytest.raises(StorageRefused):
        await works(storage, "meanwhile")
    await operator.execute(f"GRANT INSERT ON {storage.service}.mark TO {storage.service}")
    await works(storage, "after")
    assert server._log.read_text().count("permission denied") == before + 1
