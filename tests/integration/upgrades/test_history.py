"""A database of an earlier release is upgraded by whoever opens it first, and nobody who works there is in the way.

`version_1.sql` is what a release of version 1 has left behind of `granary.txt`: a saga that waits for an event, the
event in the outbox, an answer under a key. `version_1_statements.sql` is the SQL which that release works with.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ramet.clock import SystemClock
from ramet.contract.calling import calling
from ramet.contract.reading.application import read
from ramet.errors import StorageError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import load, make_importable
from ramet.runtime.migrating import prepare
from ramet.runtime.running import Options, Running
from ramet.runtime.tables import HISTORY, SCHEMA
from ramet.runtime.wiring import engines
from ramet.storage.address import address
from ramet.storage.base import Storage
from ramet.storage.history import NOTED, History, Noted, Step
from ramet.storage.postgres.sql import table, translated
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.testing.databases import database
from tests.fresh import fresh

HERE = Path(__file__).parent
VERSION_1 = (HERE / "version_1.sql").read_text(encoding="utf-8")
STATEMENTS = (HERE / "version_1_statements.sql").read_text(encoding="utf-8").splitlines()
PATIENCE_SECONDS = 60.0
SQLITE_SHAPE = 'SELECT m.name, p.name, p.type, p."notnull", p.pk FROM sqlite_master m, pragma_table_info(m.name) p'
SQLITE_INDEXES = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'"
SHAPE = """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'granary' AND table_name LIKE 'ramet_%'"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'granary' AND tablename LIKE 'ramet_%'"
LATER = History(
    steps=(
        *HISTORY.steps,
        Step(HISTORY.version + 1, "ramet_inbox", "later", "ALTER TABLE ramet_inbox ADD COLUMN later TEXT"),
    )
)


class Engine:
    """A database as version 1 has left it."""

    deployment: Deployment

    def storage(self) -> Storage:
        raise NotImplementedError

    async def shape(self) -> set[Any]:
        """Every column of Ramet's tables, and every index."""
        raise NotImplementedError

    async def forget(self) -> None:
        """Begin with nothing at all."""
        raise NotImplementedError

    async def accepts(self, sql: str) -> None:
        """Raises what the engine says of a statement that it cannot execute."""
        raise NotImplementedError


class Sqlite(Engine):
    def __init__(self, folder: Path) -> None:
        self.file = folder / ".ramet" / "old" / "granary.sqlite"
        self.file.parent.mkdir(parents=True)
        self.deployment = Deployment(name="old", data=".ramet/old")
        with sqlite3.connect(self.file) as raw:
            raw.executescript(VERSION_1)
        raw.close()

    def storage(self) -> Storage:
        return SqliteStorage("granary", self.file)

    async def shape(self) -> set[Any]:
        raw = sqlite3.connect(self.file)
        found = {row for row in raw.execute(SQLITE_SHAPE) if row[0].startswith("ramet_")}
        found |= {(name, on, " ".join((sql or "").split())) for name, on, sql in raw.execute(SQLITE_INDEXES)}
        raw.close()
        return found

    async def forget(self) -> None:
        for file in self.file.parent.iterdir():
            file.unlink()

    async def accepts(self, sql: str) -> None:
        raw = sqlite3.connect(self.file)
        raw.execute(f"EXPLAIN {sql}", [None] * sql.count("?"))
        raw.close()


class Postgres(Engine):
    def __init__(self, url: str) -> None:
        self.url = url
        self.deployment = Deployment(name="old", data=".ramet/old", storage=url)

    async def make(self) -> None:
        script = table(VERSION_1).replace("\tid INTEGER NOT NULL", "\tid SERIAL NOT NULL")
        script = re.sub(r"X'([0-9A-F]*)'", r"'\\x\1'::bytea", script)
        raw = await self.connect()
        await raw.execute(f"CREATE SCHEMA granary; {script}")
        for sequence, name in (("sacks_id_seq", "sacks"), ("ramet_outbox_seq_seq", "ramet_outbox")):
            await raw.execute(f"SELECT setval('{sequence}', (SELECT count(*) FROM {name}))")
        await raw.close()

    async def connect(self) -> Any:
        return await asyncpg.connect(self.url, server_settings={"search_path": "granary"})

    def storage(self) -> Storage:
        return PostgresStorage("granary", self.url)

    async def shape(self) -> set[Any]:
        raw = await self.connect()
        found = {tuple(row) for sql in (SHAPE, INDEXES) for row in await raw.fetch(sql)}
        await raw.close()
        return found

    async def forget(self) -> None:
        raw = await self.connect()
        await raw.execute("DROP SCHEMA granary CASCADE")
        await raw.close()

    async def accepts(self, sql: str) -> None:
        raw = await self.connect()
        await raw.prepare(translated(sql))
        await raw.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path)
        return
    async with database(address(request.getfixturevalue("postgresql")), f"granary_{SystemClock().id()}") as url:
        found = Postgres(url)
        await found.make()
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "granary.py").write_bytes((HERE / "granary.txt").read_bytes())
    (tmp_path / "ramet.toml").write_text('[application]\nname = "granary"\nservices = ["granary"]\n', encoding="utf-8")
    with fresh("granary"):
        yield tmp_path


async def opened(storage: Storage, history: History = HISTORY) -> list[Any]:
    """What is noted after it was opened once."""
    await storage.open(SCHEMA, history)
    try:
        return [Noted(*row) for row in await storage.fetch(NOTED)]
    finally:
        await storage.close()


async def test_what_was_under_way_before_the_upgrade_goes_on_after_it(engine: Engine, folder: Path) -> None:
    found = load(folder / "ramet.toml")
    make_importable(folder)
    declared = read(found.application)
    granary = __import__("granary").Granary
    running = Running(declared, engines(engine.deployment, folder, declared), Options(prepare=prepare))
    await running.start()
    try:
        client = running.client(granary)
        async with calling(key="once"):
            assert await client.store("kept") == 1, "the recorded answer"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(sacks := await client.stored()) < 4:
                await SystemClock().sleep(0.01)
        assert sacks == ("kept", "opened barley", "reaped barley", "sown barley")
    finally:
        await running.stop()
    assert await opened(engine.storage()) == [Noted(HISTORY.version, HISTORY.compatible)]


async def test_the_tables_of_a_new_database_are_the_sum_of_the_steps(engine: Engine) -> None:
    await opened(engine.storage())
    upgraded = await engine.shape()
    await engine.forget()
    assert await opened(engine.storage()) == [Noted(HISTORY.version, HISTORY.compatible)]
    assert await engine.shape() == upgraded


async def test_it_may_be_repeated_also_where_nothing_is_noted_of_steps_that_were_taken(engine: Engine) -> None:
    await opened(engine.storage())
    shape = await engine.shape()
    storage = engine.storage()
    await storage.open(())
    async with storage.maintenance() as connection:
        await connection.exec_driver_sql("DROP TABLE ramet_schema")
    await storage.close()
    for _ in range(2):
        await opened(engine.storage())
    assert await engine.shape() == shape


async def test_workers_of_version_1_go_on_with_the_tables_of_now(engine: Engine) -> None:
    await opened(engine.storage())
    for sql in STATEMENTS:
        await engine.accepts(sql)


async def test_a_release_that_is_older_and_suits_leaves_the_version_as_it_is(engine: Engine) -> None:
    assert await opened(engine.storage(), LATER) == [Noted(LATER.version, 1)]
    assert await opened(engine.storage()) == [Noted(LATER.version, 1)]


async def test_a_release_that_is_too_old_is_refused_in_one_sentence(engine: Engine) -> None:
    await opened(engine.storage(), replace(LATER, compatible=LATER.version))
    sentence = f"are of version {LATER.version}, and this release knows those up to {HISTORY.version}: install"
    with pytest.raises(StorageError, match=sentence):
        await opened(engine.storage())


async def test_an_upgrade_that_fails_leaves_everything_as_it_was(engine: Engine) -> None:
    before = await engine.shape()
    broken = History(steps=(*HISTORY.steps, Step(9, "ramet_inbox", "x", "ALTER TABLE ramet_inbox ADD COLUMN")))
    with pytest.raises(StorageError):
        await opened(engine.storage(), broken)
    assert await engine.shape() == before


@pytest.mark.needs("postgresql")
async def test_of_several_that_start_at_the_same_time_one_upgrades(postgresql: str) -> None:
    async with database(address(postgresql), f"granary_{SystemClock().id()}") as url:
        engine = Postgres(url)
        await engine.make()
        found = await asyncio.gather(*(opened(engine.storage()) for _ in range(4)))
    assert found == [[Noted(HISTORY.version, HISTORY.compatible)]] * 4


@pytest.mark.needs("postgresql")
async def test_who_holds_the_table_is_not_queued_behind_for_ever(postgresql: str) -> None:
    async with database(address(postgresql), f"granary_{SystemClock().id()}") as url:
        engine = Postgres(url)
        await engine.make()
        worker = await engine.connect()
        async with worker.transaction():
            await worker.execute("SELECT * FROM ramet_saga")
            with pytest.raises(StorageError, match="others have been using the table"):
                await opened(engine.storage())
        await worker.close()
        assert await opened(engine.storage())
