"""What only SQLite promises: one writer, batches, a lock on the file, and what happens when the disk fails."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ramet.errors import StorageError, StorageUnavailable, UsageError
from ramet.storage.base import Write
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.work import transact
from ramet.telemetry.scope import Scope, Work

TABLES = (
    "CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY, note TEXT)",
    "CREATE TABLE IF NOT EXISTS twin (id INTEGER PRIMARY KEY)",
)
INSERT = "INSERT INTO mark (id, note) VALUES (?, ?)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.sqlite"


@pytest.fixture
async def storage(file: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage("shop", file)
    await storage.open(TABLES)
    yield storage
    await storage.close()


async def marks(storage: SqliteStorage) -> int:
    ((count,),) = await storage.fetch("SELECT count(*) FROM mark")
    return int(count)


async def insert(storage: SqliteStorage, number: int) -> None:
    unit = storage.unit()
    try:
        await unit.execute(INSERT, number, "x" * 2000)
        await unit.commit()
    finally:
        await unit.rollback()


async def test_what_is_written_is_durable_by_default(storage: SqliteStorage) -> None:
    raw = storage.writer.raw
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert raw.execute("PRAGMA synchronous").fetchone() == (2,)
    assert raw.execute("PRAGMA foreign_keys").fetchone() == (1,)


async def test_units_that_come_together_share_a_commit(storage: SqliteStorage) -> None:
    before = storage.writer.commits
    await asyncio.gather(*(insert(storage, number) for number in range(50)))
    assert storage.writer.commits - before < 10
    assert await marks(storage) == 50


async def test_a_batch_ends_when_enough_has_gathered(file: Path) -> None:
    storage = SqliteStorage("shop", file, SqliteOptions(batch_units=10))
    await storage.open(TABLES)
    await asyncio.gather(*(insert(storage, number) for number in range(50)))
    assert storage.writer.commits >= 5
    await storage.close()


async def test_rows_written_for_later_cost_no_commit_of_their_own(storage: SqliteStorage) -> None:
    before = storage.writer.commits
    for number in range(10):
        storage.write_later(Write(INSERT, [(number + 100, "")]))
        await insert(storage, number)
    assert storage.writer.commits - before == 10
    assert await marks(storage) == 20


async def test_rows_written_for_later_do_not_wait_for_ever(file: Path) -> None:
    storage = SqliteStorage("shop", file, SqliteOptions(later_seconds=0.001))
    await storage.open(TABLES)
    storage.write_later(Write(INSERT, [(1, "")]))
    async with asyncio.timeout(10):
        while not await marks(storage):  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0)
    storage.write_later(Write(INSERT, [(2, "")]))
    await storage.close()
    await storage.open(())
    assert await marks(storage) == 2
    await storage.close()


async def test_two_processes_cannot_write_to_one_file(storage: SqliteStorage, file: Path) -> None:
    with pytest.raises(StorageError, match=r"shop.sqlite is in use by process \d+: stop that process"):
        await SqliteStorage("shop", file).open(TABLES)


async def test_a_second_process_may_read(storage: SqliteStorage, file: Path) -> None:
    await insert(storage, 1)
    looking = SqliteStorage("shop", file, SqliteOptions(readonly=True))
    await looking.open(())
    assert await marks(looking) == 1
    with pytest.raises(StorageError, match="open for reading only"):
        await looking.write(Write(INSERT, [(2, "")]))
    await looking.close()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite"
    file.write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StorageError, match=r"shop.sqlite could not be opened .* check that"):
        await SqliteStorage("shop", file).open(TABLES)


async def test_a_full_disk_fails_the_whole_batch_and_the_writer_recovers(storage: SqliteStorage) -> None:
    await insert(storage, 1)
    ((pages,),) = storage.writer.raw.execute("PRAGMA page_count").fetchall()
    storage.writer.raw.execute(f"PRAGMA max_page_count = {pages + 20}")
    ends = await asyncio.gather(*(insert(storage, number) for number in range(2, 102)), return_exceptions=True)
    failed = [end for end in ends if end is not None]
    assert failed
    assert all(isinstance(end, StorageUnavailable) for end in failed)
    assert await marks(storage) == 101 - len(failed)
    storage.writer.raw.execute("PRAGMA max_page_count = 100000")
    await insert(storage, 200)
    await storage.write(Write(INSERT, [(201, "")]))
    assert await marks(storage) == 103 - len(failed)


async def test_a_transaction_that_sqlite_gave_up_takes_no_statement_more(file: Path) -> None:
    storage = SqliteStorage("shop", file, SqliteOptions(batch_seconds=60))
    await storage.open(TABLES)
    unit, other = storage.unit(), storage.unit()
    await other.execute(INSERT, 1, "")
    ending = asyncio.ensure_future(other.commit())
    await unit.execute(INSERT, 2, "")
    storage.writer.raw.execute("ROLLBACK")  # as SQLite does by itself when the disk fails
    with pytest.raises(StorageError):
        await unit.execute("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StorageError, match="gave it up"):
        await unit.execute(INSERT, 3, "")
    with pytest.raises(StorageError):
        await unit.commit()
    with pytest.raises(StorageError):
        await ending
    await insert(storage, 4)
    assert await storage.fetch("SELECT id FROM mark") == [(4,)]
    await storage.close()


async def test_a_deferred_foreign_key_of_one_unit_fails_no_other(file: Path) -> None:
    storage = SqliteStorage("shop", file)
    await storage.open(
        (
            *TABLES,
            "CREATE TABLE child (id INTEGER PRIMARY KEY, twin INTEGER REFERENCES twin DEFERRABLE INITIALLY DEFERRED)",
        )
    )

    async def work(number: int, twin: int | None) -> None:
        unit = storage.unit()
        try:
            await unit.execute("INSERT INTO child (id, twin) VALUES (?, ?)", number, twin)
            await unit.commit()
        finally:
            await unit.rollback()

    ends = await asyncio.gather(work(1, None), work(2, 99), work(3, None), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), StorageError, type(None)]
    assert await storage.fetch("SELECT id FROM child ORDER BY id") == [(1,), (3,)]
    await storage.close()


async def test_waiting_for_ones_own_transaction_is_an_error_and_no_deadlock(storage: SqliteStorage) -> None:
    scope = Scope("shop", Work.COMMAND, "take")

    async def body() -> None:
        unit = storage.unit()
        await unit.execute(INSERT, 1, "")
        try:
            await storage.write(Write(INSERT, [(2, "")]))
        finally:
            await unit.rollback()

    with pytest.raises(UsageError, match="use the unit of work that is open"):
        await transact(storage, scope, body)


async def test_closing_rolls_back_what_is_open_and_refuses_what_waits(file: Path) -> None:
    storage = SqliteStorage("shop", file)
    await storage.open(TABLES)
    unit = storage.unit()
    await unit.execute(INSERT, 1, "")
    waiting = asyncio.ensure_future(insert(storage, 2))
    await asyncio.sleep(0)
    await storage.close()
    with pytest.raises(StorageError, match="closed"):
        await waiting
    with pytest.raises(StorageError, match="closed"):
        await unit.commit()
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM mark").fetchone() == (0,)
    raw.close()


CRASHING = """
import asyncio, sys
from pathlib import Path
from ramet.storage.base import Write
from ramet.storage.sqlite.storage import SqliteStorage

async def main():
    storage = SqliteStorage("shop", Path(sys.argv[1]))
    await storage.open(())
    ((first,),) = await storage.fetch("SELECT coalesce(max(id), 0) + 1 FROM mark")
    async def work(lane):
        number = first + lane
        while True:
            unit = storage.unit()
            await unit.execute("INSERT INTO mark (id, note) VALUES (?, '')", number)
            await asyncio.sleep(0)
            unit.defer(Write("INSERT INTO twin (id) VALUES (?)", [(number,)]))
            await unit.commit()
            print(number, flush=True)
            number += 10
    await asyncio.gather(*map(work, range(10)))

asyncio.run(main())
"""


def killed_after(lines: int, file: Path) -> set[int]:
    """The numbers that a process acknowledged before it was killed."""
    with subprocess.Popen([sys.executable, "-c", CRASHING, str(file)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines(keepends=True)
    return {int(line) for line in (*seen, *rest) if line.endswith("\n")}


async def test_killed_under_load_it_keeps_what_it_acknowledged_and_nothing_in_half(file: Path) -> None:
    storage = SqliteStorage("shop", file)
    await storage.open(TABLES)
    await storage.close()
    acknowledged: set[int] = set()
    for lines in (50, 300, 700):
        acknowledged |= killed_after(lines, file)
        await storage.open(())
        assert await storage.fetch("PRAGMA integrity_check") == [("ok",)]
        there = {number for (number,) in await storage.fetch("SELECT id FROM mark")}
        assert acknowledged <= there
        assert there == {number for (number,) in await storage.fetch("SELECT id FROM twin")}
        await storage.close()
