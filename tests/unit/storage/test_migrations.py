"""Migrations lead a database from what it has to what a service declares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from ramet.errors import ConfigurationError, StorageError, StorageUnavailable
from ramet.storage.base import Row, Write
from ramet.storage.migrations import Migrations, Progress
from ramet.storage.revisions import applied, is_current, revisions
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA

FIRST = MetaData()
Table("item", FIRST, Column("id", Integer, primary_key=True), Column("name", String(20), nullable=False))
SECOND = MetaData()
Table(
    "item",
    SECOND,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False),
    Column("price", Integer, nullable=False, server_default="0"),
)
Table(
    "line",
    SECOND,
    Column("id", Integer, primary_key=True),
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), nullable=False),
)


@pytest.fixture
async def storage() -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage("shop")
    await storage.open(SCHEMA)
    yield storage
    await storage.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "migrations"


async def create_all(storage: SqliteStorage, tables: MetaData) -> None:
    async with storage.maintenance() as connection:
        await connection.run_sync(tables.create_all)


async def test_revisions_are_written_from_the_declared_tables_and_applied_in_order(
    storage: SqliteStorage, folder: Path
) -> None:
    first = await Migrations(storage, folder, FIRST).revision("Items, at last!")
    assert first.name == "0001_items_at_last.py"
    assert not await is_current(storage, folder)
    await Migrations(storage, folder, FIRST).migrate()
    assert await is_current(storage, folder)
    await storage.write(Write("INSERT INTO item (id, name) VALUES (?, ?)", [(1, "tea")]))

    second = Migrations(storage, folder, SECOND)
    assert sorted(await second.check()) == ["add column item.price", "add table line"]
    await second.revision("prices and lines")
    status = await second.status()
    assert [one.message for one in status.pending] == ["prices and lines"]
    told: list[Progress] = []
    done = await second.migrate(told.append)
    assert [(one.done, one.total, one.revision.message) for one in told] == [(1, 1, "prices and lines")]
    assert await applied(storage) == {done[-1].id}
    assert await second.check() == ()
    assert await storage.fetch("SELECT id, name, price FROM item") == [(1, "tea", 0)]
    assert await second.migrate() == ()
    with pytest.raises(StorageError, match="nothing to migrate"):
        await second.revision("again")


async def test_a_new_database_gets_all_of_them(storage: SqliteStorage, folder: Path) -> None:
    for tables in (FIRST, SECOND):
        scratch = SqliteStorage("scratch")
        await scratch.open(SCHEMA)
        migrations = Migrations(scratch, folder, tables)
        await migrations.migrate()
        await migrations.revision("next")
        await scratch.close()
    migrations = Migrations(storage, folder, SECOND)
    assert len(await migrations.migrate()) == 2
    assert await migrations.check() == ()


async def test_a_migration_that_fails_changes_nothing(storage: SqliteStorage, folder: Path) -> None:
    migrations = Migrations(storage, folder, FIRST)
    file = await migrations.revision("items")
    file.write_text(file.read_text().replace("def downgrade", "    raise LookupError('half way')\n\n\ndef downgrade"))
    with pytest.raises(LookupError):
        await migrations.migrate()
    assert await storage.fetch("SELECT name FROM sqlite_master WHERE name IN ('item', 'alembic_version')") == []
    await storage.write(Write("DELETE FROM ramet_inbox WHERE key = ?", [("x",)]))


async def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(storage: SqliteStorage, folder: Path) -> None:
    migrations = Migrations(storage, folder, SECOND)
    await migrations.revision("all")
    await migrations.migrate()
    await storage.write(
        Write("INSERT INTO item (id, name) VALUES (?, ?)", [(1, "tea")]),
        Write("INSERT INTO line (id, item_id) VALUES (?, ?)", [(7, 1)]),
    )
    file = folder / "versions" / "0002_longer.py"
    before = revisions(folder)[0].id
    file.write_text(
        '"""longer names"""\nimport sqlalchemy as sa\nfrom alembic import op\n'
        f'revision = "b"\ndown_revision = "{before}"\n'
        'def upgrade():\n    with op.batch_alter_table("item") as batch:\n'
        '        batch.alter_column("name", type_=sa.String(90))\n'
    )
    await migrations.migrate()
    assert await storage.fetch("SELECT id, item_id FROM line") == [(7, 1)]


async def test_a_migration_that_leaves_rows_without_their_parents_is_refused(
    storage: SqliteStorage, folder: Path
) -> None:
    await create_all(storage, SECOND)
    await storage.write(
        Write("INSERT INTO item (id, name) VALUES (?, ?)", [(1, "tea")]),
        Write("INSERT INTO line (id, item_id) VALUES (?, ?)", [(7, 1)]),
    )
    with pytest.raises(StorageError, match="row of line"):
        async with storage.maintenance() as connection:
            await connection.exec_driver_sql("DELETE FROM item")
    assert await storage.fetch("SELECT id FROM item") == [(1,)]


async def test_a_database_made_without_migrations_is_adopted_knowingly(storage: SqliteStorage, folder: Path) -> None:
    scratch = SqliteStorage("scratch")
    await scratch.open(SCHEMA)
    await Migrations(scratch, folder, FIRST).revision("items")
    await scratch.close()
    await create_all(storage, FIRST)
    migrations = Migrations(storage, folder, FIRST)
    with pytest.raises(StorageError, match="made without them"):
        await migrations.migrate()
    await migrations.adopt()
    assert await migrations.migrate() == ()
    assert await is_current(storage, folder)


async def test_a_database_that_is_ahead_is_refused(storage: SqliteStorage, folder: Path) -> None:
    migrations = Migrations(storage, folder, FIRST)
    file = await migrations.revision("items")
    await migrations.migrate()
    file.unlink()
    with pytest.raises(StorageError, match="install the release"):
        await migrations.status()


class Away(SqliteStorage):
    """A database whose server has gone."""

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        raise StorageUnavailable("It is away.")


async def test_a_database_that_cannot_be_asked_is_not_taken_for_one_without_migrations() -> None:
    with pytest.raises(StorageUnavailable):
        await applied(Away("shop"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("x = 1\n", "does not say"), ('revision = "a"\ndown_revision = "lost"\n', "correct its down_revision")],
)
def test_a_revision_that_is_wrong_is_named(folder: Path, text: str, sentence: str) -> None:
    (folder / "versions").mkdir(parents=True)
    (folder / "versions" / "a.py").write_text(text)
    with pytest.raises(ConfigurationError, match=sentence):
        revisions(folder)


async def test_a_database_in_use_can_be_looked_at(tmp_path: Path, folder: Path) -> None:
    using = SqliteStorage("shop", tmp_path / "shop.sqlite")
    await using.open(SCHEMA)
    migrations = Migrations(using, folder, FIRST)
    await migrations.revision("items")
    await migrations.migrate()
    looking = SqliteStorage("shop", tmp_path / "shop.sqlite", SqliteOptions(readonly=True))
    await looking.open(())
    looked = Migrations(looking, folder, SECOND)
    assert (await looked.status()).pending == ()
    assert len(await looked.check()) == 2
    with pytest.raises(StorageError, match="open for reading only"):
        async with looking.maintenance():
            pass
    await looking.close()
    await using.close()
