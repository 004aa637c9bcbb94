"""What every storage must do that several processes may have open at the same time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, inspect, select, update

from ramet.errors import DuplicateRow, StorageError
from ramet.storage.base import Storage, Unit, Write
from ramet.storage.tables import SCHEMA
from ramet.storage.work import transact
from ramet.tasks import Tasks
from ramet.telemetry.scope import Scope, Work

ITEM = Table("shared_item", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer, nullable=False))
TABLES = (
    "CREATE TABLE IF NOT EXISTS shared_item (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS shared_mark (key TEXT PRIMARY KEY)",
)
MARK = "INSERT INTO shared_mark (key) VALUES (?)"


class Heard:
    """Counts what a listener was told, and waits for it."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._more.set()

    async def again(self) -> None:
        """Wait until it was told since this was called last."""
        async with asyncio.timeout(20):
            await self._more.wait()
        self._more.clear()


class SharedSuite(ABC):
    """Two storages on one database, as two replicas of a service have them."""

    @abstractmethod
    def make_pair(self) -> tuple[Storage, Storage]:
        """Two storages on one empty database, neither of them open."""

    @asynccontextmanager
    async def pair(self) -> AsyncIterator[tuple[Storage, Storage]]:
        """Both open, with the suite's tables and two items whose n is 0."""
        one, other = self.make_pair()
        await asyncio.gather(*(storage.open((*SCHEMA, *TABLES)) for storage in (one, other)))
        try:
            await one.write(Write("INSERT INTO shared_item (id, n) VALUES (?, ?)", [(1, 0), (2, 0)]))
            yield one, other
        finally:
            await asyncio.gather(one.close(), other.close())

    async def test_it_says_that_it_is_shared(self) -> None:
        async with self.pair() as (one, other):
            assert one.shared
            assert other.shared

    async def test_what_one_commits_the_other_reads(self) -> None:
        async with self.pair() as (one, other):
            await one.write(Write(MARK, [("a",)]))
            assert await other.fetch("SELECT key FROM shared_mark") == [("a",)]

    async def test_of_two_equal_rows_one_is_written(self) -> None:
        async with self.pair() as pair:
            for number in range(20):
                ends = await asyncio.gather(
                    *(storage.write(Write(MARK, [(str(number),)])) for storage in pair), return_exceptions=True
                )
                assert sorted(type(end).__name__ for end in ends) == [DuplicateRow.__name__, "tuple"]

    async def test_what_one_computed_from_what_the_other_changed_is_not_lost(self) -> None:
        async with self.pair() as pair:

            async def work(storage: Storage, number: int) -> None:
                scope = Scope(storage.service, Work.COMMAND, "increment", key=str(number))

                async def body() -> None:
                    unit = scope.unit
                    assert isinstance(unit, Unit)
                    n = (await unit.read(select(ITEM.c.n).where(ITEM.c.id == 1))).scalar_one()
                    await asyncio.sleep(0)
                    await unit.run(update(ITEM).where(ITEM.c.id == 1).values(n=n + 1))

                await transact(storage, scope, body)

            await asyncio.gather(*(work(storage, number) for number in range(20) for storage in pair))
            assert await pair[0].fetch("SELECT n FROM shared_item WHERE id = 1") == [(40,)]

    async def test_two_that_each_rely_on_what_the_other_changes_do_not_both_commit_what_they_saw(self) -> None:
        """As two doctors who both go off duty because the other is on it."""
        async with self.pair() as pair:
            both_have_read = asyncio.Barrier(2)

            async def leave(storage: Storage, mine: int, others: int) -> None:
                scope = Scope(storage.service, Work.COMMAND, "leave", key=str(mine))
                first = True

                async def body() -> None:
                    nonlocal first
                    unit = scope.unit
                    assert isinstance(unit, Unit)
                    away = (await unit.read(select(ITEM.c.n).where(ITEM.c.id == others))).scalar_one()
                    if first:
                        first = False
                        await both_have_read.wait()
                    if not away:
                        await unit.run(update(ITEM).where(ITEM.c.id == mine).values(n=1))

                await transact(storage, scope, body)

            await asyncio.gather(leave(pair[0], 1, 2), leave(pair[1], 2, 1))
            assert await pair[0].fetch("SELECT sum(n) FROM shared_item") == [(1,)]

    async def test_who_is_evicted_holds_nobody_up_and_comes_back(self) -> None:
        """With every lock that it has, and with those that it would be given one after the other.

        What has done nothing yet may begin again, behind the others.
        """
        async with self.pair() as (frozen, other):
            spawn, held, queued = Tasks().spawn, frozen.unit(), [frozen.unit() for _ in range(3)]
            await held.execute("UPDATE shared_item SET n = 7 WHERE id = 1")
            tasks = [spawn(one.execute("UPDATE shared_item SET n = 8 WHERE id = 1")) for one in queued]
            waiting = spawn(other.write(Write("UPDATE shared_item SET n = n + 1 WHERE id = 1", [()])))
            await asyncio.sleep(0)
            assert await other.write_apart(Write(MARK, [("alive",)])) == 1
            assert frozen.process != other.process
            await other.evict(frozen.process)
            async with asyncio.timeout(20):
                assert await waiting == (1,)
            with pytest.raises(StorageError):
                await held.commit()

            async def give_up(statement: asyncio.Task[int], unit: Unit) -> None:
                await asyncio.wait({statement})
                await unit.rollback()

            await asyncio.gather(*map(give_up, tasks, queued))
            assert await frozen.fetch("SELECT n FROM shared_item WHERE id = 1") == [(1,)]
            assert await frozen.write(Write("UPDATE shared_item SET n = 5 WHERE id = 1", [()])) == (1,)

    async def test_what_one_notifies_both_hear(self) -> None:
        async with self.pair() as (one, other):
            here, there = Heard(), Heard()
            one.listen("outbox", here)
            other.listen("outbox", there)
            while not there.count:  # who listens at the same moment may not hear
                one.notify("outbox")
                await asyncio.wait_for(here.again(), 20)
            heard = there.count
            other.notify("outbox")
            await here.again()
            while there.count == heard:
                await there.again()

    async def test_nobody_hears_of_another_channel(self) -> None:
        async with self.pair() as (one, other):
            wrong, right = Heard(), Heard()
            other.listen("sagas", wrong)
            other.listen("outbox", right)
            while not right.count:
                one.notify("outbox")
                await asyncio.sleep(0)
            assert not wrong.count

    async def test_notifications_of_one_moment_are_one(self) -> None:
        async with self.pair() as (one, _):
            here = Heard()
            one.listen("outbox", here)
            for _ in range(100):
                one.notify("outbox")
            await here.again()
            assert here.count == 1

    async def test_tables_are_changed_by_one_at_a_time(self) -> None:
        async with self.pair() as pair:
            table = Table("shared_new", MetaData(), Column("id", Integer, primary_key=True))

            async def change(storage: Storage) -> bool:
                async with storage.maintenance() as connection:
                    if "shared_new" in await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
                        return False
                    await asyncio.sleep(0)
                    await connection.run_sync(table.create)
                    return True

            assert sorted(await asyncio.gather(*map(change, pair))) == [False, True]

    async def test_tables_are_changed_whole_or_not_at_all(self) -> None:
        async with self.pair() as (one, other):
            with pytest.raises(LookupError):  # noqa: PT012 - leaving the block is what undoes
                async with one.maintenance() as connection:
                    await connection.execute(insert(ITEM).values(id=3, n=3))
                    raise LookupError
            assert await other.fetch("SELECT count(*) FROM shared_item") == [(2,)]
