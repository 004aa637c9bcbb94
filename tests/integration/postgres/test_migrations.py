"""The shop's migrations make its tables on PostgreSQL, with each service's own role, by several replicas at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ramet.contract.declared import Declared
from ramet.contract.reading.application import read
from ramet.errors import CommitUnknown, StorageError
from ramet.runtime.configuration import load, make_importable
from ramet.runtime.migrating import create_tables, folder_of, prepare, tables_of
from ramet.storage.address import address
from ramet.storage.grants import connection_for
from ramet.storage.hazards.judging import hazards
from ramet.storage.migrations import Migrations
from ramet.storage.offline import statements
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.provisioning import logins, provision
from ramet.storage.revisions import revisions
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer
from tests.fresh import fresh

pytestmark = pytest.mark.needs("postgresql")

SHOP = Path(__file__).parents[3] / "examples" / "shop"


@pytest.fixture
def shop() -> Iterator[Declared]:
    with fresh("shop"):
        found = load(SHOP / "ramet.toml")
        make_importable(found.folder)
        yield read(found.application)


async def test_two_replicas_migrate_every_service_at_the_same_time(
    server: PostgresServer, shop: Declared, tmp_path: Path
) -> None:
    services = {service.name: service for service in shop.services if tables_of(service) is not None}
    wanted = logins("shop", list(services), tmp_path / "postgresql.json", {})
    await provision(address(server.url), "shop", wanted)
    passwords = {login.service: login.password for login in wanted}
    for name, service in services.items():
        where = connection_for("shop", name, address(server.url), passwords)
        pair = [PostgresStorage(name, where.url) for _ in range(2)]
        await asyncio.gather(*(storage.open(SCHEMA) for storage in pair))
        await asyncio.gather(*(prepare(service, storage) for storage in pair))
        tables = tables_of(service)
        assert tables is not None
        migrations = Migrations(pair[0], folder_of(service), tables)
        assert (await migrations.status()).pending == ()
        assert await migrations.check() == ()
        assert hazards(statements(folder_of(service), revisions(folder_of(service)))) == ()
        await asyncio.gather(*(storage.close() for storage in pair))
    assert len(services) > 5


async def test_two_replicas_create_the_tables_of_a_service_without_migrations(
    server: PostgresServer, shop: Declared
) -> None:
    service = next(service for service in shop.services if service.name == "orders")
    pair = [PostgresStorage("without_migrations", f"{server.url}/postgres") for _ in range(2)]
    await asyncio.gather(*(storage.open(SCHEMA) for storage in pair))
    for _ in range(2):
        await asyncio.gather(*(create_tables(service, storage) for storage in pair))
    assert await pair[0].fetch("SELECT count(*) FROM orders") == [(0,)]
    await asyncio.gather(*(storage.close() for storage in pair))


async def test_a_table_without_a_column_that_the_code_declares_is_refused_in_one_sentence(
    server: PostgresServer, shop: Declared
) -> None:
    service = next(service for service in shop.services if service.name == "orders")
    storage = PostgresStorage("without_a_column", f"{server.url}/postgres")
    await storage.open(SCHEMA)
    await create_tables(service, storage)
    async with storage.maintenance() as connection:
        await connection.execute(text("ALTER TABLE orders DROP COLUMN customer_id"))
    told = "The database of orders has the table orders without the column customer_id: it was made before the code "
    with pytest.raises(StorageError, match=told):
        await create_tables(service, storage)
    await storage.close()


DYING = """
CREATE TABLE torn (id int);
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON torn DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION die();
INSERT INTO torn VALUES (1)
"""


async def test_where_the_connection_is_lost_at_the_commit_nobody_is_told_that_nothing_was_done(
    server: PostgresServer,
) -> None:
    storage = PostgresStorage("torn", f"{server.url}/postgres")
    await storage.open(())
    with pytest.raises(CommitUnknown):
        await die_at_the_commit(storage)
    await storage.close()


async def die_at_the_commit(storage: PostgresStorage) -> None:
    async with storage.maintenance() as connection:
        for statement in DYING.split(";\n"):
            await connection.execute(text(statement))
