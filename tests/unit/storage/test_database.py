"""What a service may do with its database follows from the work it does it in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ramet.errors import CommandAfterWrite, EffectInQuery, OutsideWork, Refusal, StorageError, UsageError
from ramet.storage.base import Write
from ramet.storage.database import Database
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.work import transact, transact_within
from ramet.telemetry.scope import Committed, Scope, Work, current_scope, may_call_command, told_by

T = TypeVar("T")


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]


@pytest.fixture
async def storage() -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage("shop", None, replace(TEMPORARY, batch_seconds=60.0))
    await storage.open(("CREATE TABLE item (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",))
    await storage.write(Write("INSERT INTO item (id, n) VALUES (?, ?)", [(1, 0)]))
    yield storage
    await storage.close()


@pytest.fixture
def db(storage: SqliteStorage) -> Database:
    return Database(storage)


def command(key: str | None = None) -> Scope:
    return Scope("shop", Work.COMMAND, "take", key)


async def within(scope: Scope, body: Callable[[], Awaitable[T]]) -> T:
    token = current_scope.set(scope)
    try:
        return await body()
    finally:
        current_scope.reset(token)


async def items(storage: SqliteStorage) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in await storage.fetch("SELECT id, n FROM item ORDER BY id")]


async def test_a_query_reads(db: Database) -> None:
    assert (await db.execute(select(Item.id, Item.n))).one() == (1, 0)
    assert await db.scalar(select(Item.n).where(Item.id == 9)) is None
    assert list(await db.scalars(text("SELECT id FROM item"))) == [1]
    async with db.session() as session:
        assert (await session.get_one(Item, 1)).n == 0


@pytest.mark.parametrize(
    "statement", [delete(Item), text("delete from item"), text("with x as (select 1) delete from item")]
)
async def test_a_query_does_not_write(db: Database, storage: SqliteStorage, statement: object) -> None:
    with pytest.raises(EffectInQuery, match=r"A query of shop tried to write to its database: .* Make it a @command"):
        await within(Scope("shop", Work.QUERY, "look"), lambda: db.execute(statement))  # type: ignore[call-overload]  # a parameter of the test
    with pytest.raises(EffectInQuery):  # called by a command of another service
        await within(Scope("orders", Work.COMMAND, "place"), lambda: db.execute(delete(Item)))
    assert await items(storage) == [(1, 0)]


async def test_a_saga_step_does_not_write(db: Database) -> None:
    with pytest.raises(EffectInQuery, match="a step acts through commands"):
        await within(Scope("shop", Work.STEP, "reserve"), lambda: db.execute(delete(Item)))


async def test_work_without_a_transaction_does_not_write(db: Database) -> None:
    with pytest.raises(OutsideWork, match="has no transaction"):
        await within(command(), lambda: db.execute(delete(Item)))


async def test_nobody_writes_outside_of_work(db: Database) -> None:
    with pytest.raises(OutsideWork):
        await db.execute(delete(Item))


async def test_a_command_is_committed_when_it_returns(db: Database, storage: SqliteStorage) -> None:
    async def body() -> str:
        await db.execute(insert(Item), [{"id": 2, "n": 2}, {"id": 3, "n": 3}])
        async with db.session() as session:
            session.add(Item(id=4, n=4))
            (await session.get_one(Item, 2)).n = 20
        assert await items(storage) == [(1, 0)]
        return "done"

    assert await transact(storage, command(), body) == "done"
    assert await items(storage) == [(1, 0), (2, 20), (3, 3), (4, 4)]


class No(Refusal):
    """No."""


async def test_work_that_hangs_is_rolled_back_and_keeps_nobody_waiting(db: Database, storage: SqliteStorage) -> None:
    async def hang() -> None:
        await db.execute(insert(Item).values(id=2, n=2))
        await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError, match=r"longer than 0\.01 s"):
        await transact_within(0.01, storage, command(), hang)
    await transact(storage, command(), lambda: db.execute(insert(Item).values(id=3, n=3)))
    assert list(await db.scalars(select(Item.id))) == [1, 3]


async def test_a_timeout_within_the_work_is_an_error_like_any_other(storage: SqliteStorage) -> None:
    async def fail() -> None:
        raise TimeoutError("the neighbour's")

    with pytest.raises(TimeoutError, match="the neighbour's"):
        await transact_within(60, storage, command(), fail)


async def test_work_whose_time_is_up_during_its_commit_is_done(db: Database, storage: SqliteStorage) -> None:
    async def body() -> str:
        await db.execute(insert(Item).values(id=2, n=2))  # nothing is waited for before the commit
        return "done"

    assert await transact_within(0, storage, command(), body) == "done"
    assert list(await db.scalars(select(Item.id))) == [1, 2]


async def test_a_refusal_rolls_back(db: Database, storage: SqliteStorage) -> None:
    async def body() -> None:
        await db.execute(delete(Item))
        raise No

    with pytest.raises(No):
        await transact(storage, command(), body)
    assert await items(storage) == [(1, 0)]


async def test_another_services_command_may_be_called_until_the_first_write(
    db: Database, storage: SqliteStorage
) -> None:
    async def body() -> None:
        async with db.session() as session:
            item = await session.get_one(Item, 1)
            may_call_command("shop", "payments.charge")
            item.n = 7
        with pytest.raises(CommandAfterWrite):
            may_call_command("shop", "payments.charge")

    await transact(storage, command(), body)
    assert await items(storage) == [(1, 7)]


async def test_an_error_of_a_statement_is_sqlalchemys_and_can_be_handled(db: Database, storage: SqliteStorage) -> None:
    async def body() -> None:
        await db.execute(insert(Item).values(id=2, n=2))
        with pytest.raises(IntegrityError):
            await db.execute(insert(Item).values(id=1, n=1))

    await transact(storage, command(), body)
    assert await items(storage) == [(1, 0), (2, 2)]


@pytest.mark.parametrize("sql", ["COMMIT", "  rollback", "BEGIN", "PRAGMA foreign_keys = OFF", "-- why\nVACUUM"])
async def test_transactions_are_not_a_services_business(db: Database, storage: SqliteStorage, sql: str) -> None:
    with pytest.raises(UsageError, match="Leave the statement out"):
        await transact(storage, command(), lambda: db.execute(text(sql)))


async def test_the_database_is_not_used_after_the_work(db: Database, storage: SqliteStorage) -> None:
    late: list[asyncio.Task[object]] = []
    gate = asyncio.Event()

    async def leaking() -> None:
        await gate.wait()
        await db.execute(delete(Item))

    async def body() -> None:
        late.append(asyncio.ensure_future(leaking()))

    await transact(storage, command(), body)
    gate.set()
    with pytest.raises(OutsideWork, match="after the work it belongs to had ended"):
        await late[0]
    assert await items(storage) == [(1, 0)]


async def test_work_that_read_what_another_changed_is_run_again(db: Database, storage: SqliteStorage) -> None:
    runs, keys = [], []
    other_is_done = asyncio.Event()
    scope = command(key="k")

    async def slow() -> None:
        runs.append(1)
        n = (await db.execute(select(Item.n))).scalar_one()
        keys.append(scope.command_key("payments.charge"))
        await other_is_done.wait()
        await db.execute(update(Item).values(n=n + 1))

    async def other() -> None:
        await db.execute(update(Item).values(n=Item.n + 10))

    working = asyncio.ensure_future(transact(storage, scope, slow))
    await asyncio.sleep(0)
    await transact(storage, command(), other)
    other_is_done.set()
    await working
    assert (len(runs), await items(storage)) == (2, [(1, 11)])
    assert keys == ["k/payments.charge/1"] * 2


async def test_a_conflict_that_the_service_swallowed_is_one_all_the_same(db: Database, storage: SqliteStorage) -> None:
    runs = []

    async def body() -> None:
        runs.append(1)
        n = (await db.execute(select(Item.n))).scalar_one()
        if len(runs) == 1:
            other = storage.unit()
            await other.run(update(Item).values(n=5))
            await other.commit()
        results = await asyncio.gather(db.execute(update(Item).values(n=n + 1)), return_exceptions=True)
        assert results

    await transact(storage, command(), body)
    assert (len(runs), await items(storage)) == (2, [(1, 6)])


async def test_work_without_a_key_that_called_a_command_is_not_run_again(db: Database, storage: SqliteStorage) -> None:
    scope = command()

    async def body() -> None:
        n = (await db.execute(select(Item.n))).scalar_one()
        assert may_call_command("shop", "payments.charge").command_key("payments.charge") is None
        other = storage.unit()
        await other.run(update(Item).values(n=5))
        await other.commit()
        await db.execute(update(Item).values(n=n + 1))

    with pytest.raises(StorageError, match=r"had called payments.charge before its first write, .* idempotency key"):
        await transact(storage, scope, body)
    assert await items(storage) == [(1, 5)]


async def test_rows_of_ramets_own_are_no_conflict(db: Database, storage: SqliteStorage) -> None:
    runs = []

    async def body() -> None:
        runs.append(1)
        n = (await db.execute(select(Item.n))).scalar_one()
        await storage.write(Write("CREATE TABLE IF NOT EXISTS ramet_x (id INTEGER)", [()]))
        other = storage.unit()
        await other.execute("INSERT INTO ramet_x (id) VALUES (?)", 1)
        await other.commit()
        await db.execute(update(Item).values(n=n + 1))

    await transact(storage, command(), body)
    assert len(runs) == 1


async def test_a_cancellation_during_the_commit_tells_what_was_committed(db: Database, storage: SqliteStorage) -> None:
    async def body() -> str:
        await db.execute(update(Item).values(n=3))
        working.cancel()
        return "done"

    async def caller() -> str:
        with pytest.raises(asyncio.CancelledError) as ended:
            await transact(storage, command(), body)
        assert type(ended.value) is asyncio.CancelledError
        late = told_by(ended.value, Committed)
        return late.result if late is not None else "lost"

    working = asyncio.ensure_future(caller())
    assert await working == "done"
    assert await items(storage) == [(1, 3)]


async def test_concurrent_statements_of_one_work_share_its_transaction(db: Database, storage: SqliteStorage) -> None:
    async def body() -> None:
        await asyncio.gather(*(db.execute(insert(Item).values(id=number, n=0)) for number in range(2, 20)))
        raise StorageError("rolled back")

    with pytest.raises(StorageError):
        await transact(storage, command(), body)
    assert await items(storage) == [(1, 0)]
