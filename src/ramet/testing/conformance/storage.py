"""What every storage must do: derive a class from `StorageSuite`, say how an empty database is made, and run pytest.

class TestSqlite(StorageSuite):
    def make(self) -> Storage:
        return SqliteStorage("suite")
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, update

from ramet.clock import VirtualClock
from ramet.errors import DuplicateRow, EffectInQuery, OutsideWork, StorageError
from ramet.storage.base import Storage, Unit, Write
from ramet.storage.tables import SCHEMA
from ramet.storage.work import transact
from ramet.telemetry.scope import Scope, Work
from ramet.testing.conformance.storage_answers import AnswersSuite
from ramet.testing.conformance.storage_sessions import SessionSuite

ITEM = Table("suite_item", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer, nullable=False))
TABLES = (
    "CREATE TABLE IF NOT EXISTS suite_item (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS suite_mark (key TEXT PRIMARY KEY, note TEXT)",
)
MARK = "INSERT INTO suite_mark (key, note) VALUES (?, ?)"
MARK_ONCE = f"{MARK} ON CONFLICT (key) DO NOTHING"


class _Suite(ABC):
    @abstractmethod
    def make(self) -> Storage:
        """A new storage on an empty database, not yet open."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Storage]:
        """The storage, open, with the suite's tables and an item 1 whose n is 0."""
        storage = self.make()
        await storage.open((*SCHEMA, *TABLES))
        try:
            await storage.write(Write("INSERT INTO suite_item (id, n) VALUES (?, ?)", [(1, 0)]))
            yield storage
        finally:
            await storage.close()


async def count(storage: Storage) -> int:
    """What n of item 1 is, as committed."""
    ((n,),) = await storage.fetch("SELECT n FROM suite_item WHERE id = 1")
    assert isinstance(n, int)
    return n


async def marks(storage: Storage) -> list[str]:
    """The keys of the marks, as committed."""
    return [key for (key,) in await storage.fetch("SELECT key FROM suite_mark ORDER BY key")]


async def increment(unit: Unit) -> None:
    """Add one to n of item 1, in one statement."""
    await unit.run(update(ITEM).where(ITEM.c.id == 1).values(n=ITEM.c.n + 1))


class TransactionSuite(_Suite):
    """A unit of work is all or nothing."""

    async def test_what_a_unit_wrote_and_deferred_is_there_after_its_commit(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            await increment(unit)
            unit.defer(Write(MARK, [("a", "1"), ("b", "2")]))
            await unit.commit()
            assert (await count(storage), await marks(storage)) == (1, ["a", "b"])
            assert unit.committed

    async def test_what_a_unit_wrote_is_gone_after_its_rollback(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            await increment(unit)
            await unit.execute(MARK, "a", "1")
            unit.defer(Write(MARK, [("b", "2")]))
            await unit.rollback()
            await unit.rollback()
            assert (await count(storage), await marks(storage)) == (0, [])
            assert not unit.committed

    async def test_rows_deferred_by_a_unit_that_began_nothing_are_written(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            unit.defer(Write(MARK, [("a", "1")]))
            await unit.commit()
            assert await marks(storage) == ["a"]

    async def test_what_a_unit_has_done_is_seen_by_itself_alone(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            await increment(unit)
            assert await count(storage) == 0
            assert (await storage.read(select(ITEM.c.n))).scalar_one() == 0
            assert (await unit.read(select(ITEM.c.n))).scalar_one() == 1
            assert await unit.fetch("SELECT n FROM suite_item WHERE id = ?", 1) == [(1,)]
            await unit.rollback()

    async def test_commit_is_reported_once_and_rollback_never(self) -> None:
        async with self.opened() as storage:
            told: list[str] = []
            for name, ends in (("written", True), ("undone", False)):
                unit = storage.unit()
                await increment(unit)
                unit.after_commit(lambda name=name: told.append(name))  # type: ignore[misc]  # a default binds the name
                await (unit.commit() if ends else unit.rollback())
            assert told == ["written"]

    async def test_a_unit_cannot_be_used_after_its_end(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            await unit.commit()
            with pytest.raises(OutsideWork):
                await increment(unit)

    async def test_a_result_can_be_read_after_the_unit_ended(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            result = await unit.run(select(ITEM.c.id, ITEM.c.n))
            await unit.commit()
            assert [tuple(row) for row in result] == [(1, 0)]

    async def test_units_at_the_same_time_lose_nothing(self) -> None:
        async with self.opened() as storage:

            async def work(number: int) -> None:
                unit = storage.unit()
                await increment(unit)
                unit.defer(Write(MARK, [(f"{number:03}", "")]))
                await unit.commit()

            await asyncio.gather(*map(work, range(200)))
            assert (await count(storage), len(await marks(storage))) == (200, 200)

    async def test_a_duplicate_among_deferred_rows_undoes_that_unit_alone(self) -> None:
        async with self.opened() as storage:

            async def work(key: str) -> None:
                unit = storage.unit()
                await increment(unit)
                unit.defer(Write(MARK, [(key, "")]))
                await unit.commit()

            ends = await asyncio.gather(*map(work, "abcabd"), return_exceptions=True)
            assert [type(end) for end in ends].count(DuplicateRow) == 2
            assert (await count(storage), await marks(storage)) == (4, ["a", "b", "c", "d"])

    async def test_a_statement_that_fails_leaves_the_unit_usable(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            await increment(unit)
            with pytest.raises(DuplicateRow):
                await unit.execute("INSERT INTO suite_item (id, n) VALUES (?, ?)", 1, 1)
            await unit.commit()
            assert await count(storage) == 1


class WriteSuite(_Suite):
    """Rows of Ramet's own."""

    async def test_writes_tell_the_rows_they_wrote(self) -> None:
        async with self.opened() as storage:
            assert await storage.write(Write(MARK, [("a", ""), ("b", "")])) == (2,)
            assert await storage.write(Write(MARK_ONCE, [("a", "")]), Write(MARK_ONCE, [("c", "")])) == (0, 1)
            assert await storage.write(Write("UPDATE suite_mark SET note = ? WHERE key < ?", [("x", "c")])) == (2,)

    async def test_a_duplicate_undoes_that_call_alone(self) -> None:
        async with self.opened() as storage:
            writes = [storage.write(Write(MARK, [(f"{key}1", "")]), Write(MARK, [(key, "")])) for key in "abac"]
            ends = await asyncio.gather(*writes, return_exceptions=True)
            assert [type(end) for end in ends] == [tuple, tuple, DuplicateRow, tuple]
            assert await marks(storage) == ["a", "a1", "b", "b1", "c", "c1"]

    async def test_a_value_that_no_column_takes_undoes_that_call_alone(self) -> None:
        wrong, right = Write(MARK, [("a", "\ud800")]), Write(MARK, [("b", "")])
        async with self.opened() as storage:
            async with asyncio.timeout(5):
                ended = await asyncio.gather(storage.write(wrong), storage.write(right), return_exceptions=True)
            assert [type(each) for each in ended] == [StorageError, tuple]
            unit = storage.unit()
            unit.defer(wrong)
            with pytest.raises(StorageError):
                await unit.commit()
            assert await marks(storage) == ["b"]

    async def test_writes_beside_units_lose_nothing(self) -> None:
        async with self.opened() as storage:

            async def unit(_: int) -> None:
                work = storage.unit()
                await increment(work)
                await asyncio.sleep(0)
                await work.commit()

            async def write(number: int) -> None:
                await storage.write(Write(MARK, [(f"{number:03}", "")]))

            await asyncio.gather(*(work(number) for number in range(100) for work in (unit, write)))
            assert (await count(storage), len(await marks(storage))) == (100, 100)

    async def test_rows_written_for_later_come_with_the_next_commit_or_the_end(self) -> None:
        storage = self.make()
        await storage.open((*SCHEMA, *TABLES))
        storage.write_later(Write(MARK, [("a", "")]))
        storage.write_later(Write("UPDATE suite_mark SET note = ? WHERE key = ?", [("x", "a")]))
        await storage.write(Write(MARK, [("b", "")]))
        assert await storage.fetch("SELECT key, note FROM suite_mark ORDER BY key") == [("a", "x"), ("b", "")]
        storage.write_later(Write(MARK, [("a", "twice, so in vain")]))
        unit = storage.unit()
        await unit.execute(MARK, "c", "")
        await unit.commit()
        assert await marks(storage) == ["a", "b", "c"]
        storage.write_later(Write(MARK, [("d", "")]))
        await storage.close()

    async def test_sql_that_is_wrong_is_a_storage_error(self) -> None:
        async with self.opened() as storage:
            with pytest.raises(StorageError):
                await storage.write(Write("INSERT INTO nowhere VALUES (?)", [(1,)]))
            with pytest.raises(StorageError):
                await storage.fetch("SELECT * FROM nowhere")
            await storage.write(Write(MARK, [("a", "")]))
            assert await marks(storage) == ["a"]


class ReadSuite(_Suite):
    """Reading beside the writing."""

    async def test_a_reader_cannot_write(self) -> None:
        async with self.opened() as storage:
            with pytest.raises(EffectInQuery):
                await storage.read(insert(ITEM).values(id=2, n=2))
            async with storage.reading() as connection:
                with pytest.raises(EffectInQuery):
                    await connection.execute(insert(ITEM).values(id=2, n=2))

    async def test_a_reading_connection_sees_one_state(self) -> None:
        async with self.opened() as storage, storage.reading() as connection:
            before = await connection.scalar(select(func.sum(ITEM.c.n)))
            unit = storage.unit()
            await increment(unit)
            await unit.commit()
            assert await connection.scalar(select(func.sum(ITEM.c.n))) == before
            assert await count(storage) == 1


class ConflictSuite(_Suite):
    """What was read before the first write is still true at the first write."""

    async def test_increments_computed_by_the_service_are_not_lost(self) -> None:
        async with self.opened() as storage:
            chance = VirtualClock(seed=7)

            async def work(number: int) -> None:
                scope = Scope(storage.service, Work.COMMAND, "increment", key=str(number))

                async def body() -> None:
                    unit = scope.unit
                    assert isinstance(unit, Unit)
                    n = (await unit.read(select(ITEM.c.n).where(ITEM.c.id == 1))).scalar_one()
                    for _ in range(int(chance.random() * 3)):
                        await asyncio.sleep(0)
                    await unit.run(update(ITEM).where(ITEM.c.id == 1).values(n=n + 1))

                await transact(storage, scope, body)

            await asyncio.gather(*map(work, range(60)))
            assert await count(storage) == 60


class CancellationSuite(_Suite):
    """A cancellation at any moment leaves nothing half done and nobody waiting."""

    async def test_cancelled_anywhere_a_unit_is_whole_or_not_there(self) -> None:
        chance = VirtualClock(seed=11)
        async with self.opened() as storage:
            committed: list[str] = []

            async def work(key: str) -> None:
                unit = storage.unit()
                try:
                    await increment(unit)
                    await asyncio.sleep(0)
                    unit.defer(Write(MARK, [(key, "")]))
                    unit.after_commit(lambda: committed.append(key))
                    await unit.commit()
                finally:
                    await unit.rollback()

            async def cancelled_soon(number: int) -> None:
                task = group.create_task(work(f"{number:03}"))
                for _ in range(int(chance.random() * 12)):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            async with asyncio.TaskGroup() as group:
                await asyncio.gather(*map(cancelled_soon, range(150)))
            assert await marks(storage) == sorted(committed)
            assert await count(storage) == len(committed)
            await work("after")
            assert "after" in await marks(storage)

    async def test_a_unit_that_nobody_ended_is_rolled_back(self) -> None:
        async with self.opened() as storage:

            async def forgetful() -> None:
                await increment(storage.unit())

            await forgetful()
            unit = storage.unit()
            await increment(unit)
            await unit.commit()
            assert await count(storage) == 1


class StorageSuite(
    TransactionSuite, WriteSuite, ReadSuite, ConflictSuite, CancellationSuite, SessionSuite, AnswersSuite
):
    """All of it."""
