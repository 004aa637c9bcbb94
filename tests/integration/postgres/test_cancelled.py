"""Cancelled anywhere: a unit is committed whole or not at all, says which, and harms no connection and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from ramet.errors import CommitUnknown, DuplicateRow, Refusal, StorageError
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.base import Unit, Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.pool import Pool
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.storage.work import transact
from ramet.telemetry.scope import Committed, Scope, Work, told_by
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
MARK = "INSERT INTO mark (key) VALUES (?)"
CODEC = AnswerCodec[str](str.encode, bytes.decode, lambda _: b"", lambda _: Refusal())
MOST_SUSPENSIONS = 60
numbers = count()


@pytest.fixture
async def storage(server: PostgresServer) -> AsyncIterator[PostgresStorage]:
    made = PostgresStorage(f"cancelled_{next(numbers)}", f"{server.url}/postgres", PostgresOptions(units=1))
    await made.open((*SCHEMA, *TABLES))
    yield made
    await made.close()


async def marks(storage: PostgresStorage) -> list[str]:
    return [row[0] for row in await storage.fetch("SELECT key FROM mark ORDER BY key")]


async def committed(storage: PostgresStorage, key: str) -> None:
    unit = storage.unit()
    await unit.run(text(f"INSERT INTO mark VALUES ('{key}')"))
    await unit.commit()


async def whole(pool: Pool | None) -> None:
    """Wait until every connection of the pool is in nobody's hands."""
    assert pool is not None
    while pool._cleaning:
        await asyncio.wait(pool._cleaning)
    assert pool._count == len(pool._idle)


class Cut(Awaitable[Any]):
    """A coroutine whose task is cancelled where it waits for the n-th time, at once or together with the answer."""

    def __init__(self, work: Coroutine[Any, Any, Any], at: int, *, late: bool) -> None:
        self.work = work
        self.at = at
        self.late = late
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        value, error = None, None
        while True:
            try:
                waited = self.work.throw(error) if error is not None else self.work.send(value)
            except StopIteration as end:
                return end.value
            self.waits += 1
            if self.waits == self.at:
                if self.late and asyncio.isfuture(waited):
                    waited.add_done_callback(lambda _: task.cancel())
                else:
                    asyncio.get_running_loop().call_soon(task.cancel)
            value, error = None, None
            try:
                value = yield waited
            except BaseException as thrown:  # noqa: BLE001 - it is the work's
                error = thrown


class Scene:
    """Commands of one service, each of which leaves its marks or none."""

    def __init__(self, storage: PostgresStorage) -> None:
        self.storage = storage
        self.answers = Answers(storage, "mark", lambda: 1.0)

    async def body(self, scope: Scope, name: str, statements: int, *, refuses: bool, orm: bool) -> str:
        unit = scope.unit
        assert isinstance(unit, Unit)
        for number in range(statements):
            insert = text(f"INSERT INTO mark VALUES ('{name} {number}')")
            if orm:
                async with unit.session() as session:
                    await session.execute(insert)
            else:
                await unit.run(insert)
        unit.defer(Write(MARK, [(f"{name} event",)]))
        if refuses:
            raise Refusal
        return name

    async def command(self, name: str, statements: int, *, key: str | None, refuses: bool, orm: bool) -> str:
        scope = Scope(self.storage.service, Work.COMMAND, "mark", key)

        async def body() -> str:
            return await self.body(scope, name, statements, refuses=refuses, orm=orm)

        if key is None:
            return await transact(self.storage, scope, body)
        return await self.answers.once(scope, key, body, CODEC)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("statements", [0, 1, 3])
@pytest.mark.parametrize("kind", ["plain", "keyed", "refused", "orm"])
async def test_cancelled_wherever_it_waits(storage: PostgresStorage, kind: str, statements: int, late: bool) -> None:
    scene = Scene(storage)
    expected = {f"{number}" for number in range(statements)} | {"event"}
    for at in range(1, MOST_SUSPENSIONS):
        name, key = f"{at}", f"key {at}" if kind in ("keyed", "refused") else None
        command = partial(scene.command, name, statements, key=key, refuses=kind == "refused", orm=kind == "orm")
        cut = Cut(command(), at, late=late)
        before = asyncio.ensure_future(committed(storage, f"before {at}"))
        done = asyncio.ensure_future(_awaited(cut))
        after = asyncio.ensure_future(committed(storage, f"after {at}"))
        await asyncio.gather(before, after)
        end = await done
        await whole(storage._units)
        there = {mark.removeprefix(f"{name} ") for mark in await marks(storage) if mark.startswith(f"{name} ")}
        told = isinstance(end, asyncio.CancelledError) and told_by(end, Committed) is not None
        assert there == (expected if end == name or told else set()), (at, end)
        assert end == name or isinstance(end, asyncio.CancelledError | Refusal), end
        if key is not None:
            with suppress(Refusal):
                assert await command() == name
        if cut.waits < at:
            break
    else:
        pytest.fail("it waits more often than expected")


async def _awaited(cut: Cut) -> Any:
    """Its result or its error; a task would not keep what a cancellation says."""
    try:
        return await cut
    except (asyncio.CancelledError, Refusal) as error:
        return error


@pytest.mark.parametrize("late", [False, True])
async def test_whoever_catches_a_cancellation_commits_nothing_of_it(storage: PostgresStorage, late: bool) -> None:
    unit = storage.unit()
    async with unit.session() as session:
        await session.execute(text("INSERT INTO mark VALUES ('a')"))
        work = session.execute(text("INSERT INTO mark VALUES ('b')"))
        await asyncio.ensure_future(_awaited(Cut(work, 1, late=late)))
    with pytest.raises(StorageError, match=r"rolled back: a statement of it was cancelled"):
        await unit.commit()
    assert await marks(storage) == []
    await committed(storage, "next")
    assert await marks(storage) == ["next"]


async def test_what_the_driver_beneath_was_cancelled_at_is_not_committed(storage: PostgresStorage) -> None:
    unit = storage.unit()
    connection = await unit.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    work = raw.execute("INSERT INTO mark SELECT 'a' FROM pg_sleep(60)")
    await asyncio.ensure_future(_awaited(Cut(work, 1, late=False)))
    with pytest.raises(StorageError, match=r"rolled back: a statement of it was cancelled"):
        await unit.commit()
    await unit.rollback()
    assert await marks(storage) == []


async def test_a_statement_that_nobody_waits_for_is_committed_or_not_as_it_is_said(storage: PostgresStorage) -> None:
    unit = storage.unit()
    async with unit.session() as session:
        await session.execute(text("INSERT INTO mark VALUES ('a')"))
        late = asyncio.ensure_future(session.execute(text("INSERT INTO mark SELECT 'late' FROM pg_sleep(0.05)")))
        while not unit.busy:  # noqa: ASYNC110 - a statement's beginning has no event
            await asyncio.sleep(0)
        await unit.commit()
        await late
    assert await marks(storage) == ["a", "late"]


async def test_who_begins_by_itself_is_not_harmed_by_the_commits_that_fail_before_it(server: PostgresServer) -> None:
    storage = PostgresStorage(f"cancelled_{next(numbers)}", f"{server.url}/postgres", PostgresOptions(units=2))
    await storage.open((*SCHEMA, *TABLES))

    async def good(number: int) -> None:
        unit = storage.unit()
        async with unit.session() as session:
            await session.execute(text(f"INSERT INTO mark VALUES ('{number:02}')"))
        await unit.commit()

    async def bad() -> None:
        unit = storage.unit()
        await unit.run(text("INSERT INTO mark VALUES ('bad')"))
        unit.defer(Write(MARK, [("twice",), ("twice",)]))
        await unit.commit()

    ends = await asyncio.gather(
        *(work for number in range(40) for work in (bad(), good(number))), return_exceptions=True
    )
    assert {type(end) for end in ends[0::2]} == {DuplicateRow}
    assert set(ends[1::2]) == {None}
    assert await marks(storage) == [f"{number:02}" for number in range(40)]
    await storage.close()


async def test_a_commit_that_was_never_sent_says_so(storage: PostgresStorage) -> None:
    unit = storage.unit()
    connection = await unit.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    raw.terminate()
    with pytest.raises(StorageError, match="nothing was committed") as caught:
        await unit.commit()
    assert not isinstance(caught.value, CommitUnknown)


async def test_the_commit_before_is_not_hit_by_a_cancellation(storage: PostgresStorage) -> None:
    first, second = storage.unit(), storage.unit()
    await first.run(text("INSERT INTO mark VALUES ('first')"))
    first.defer(Write("INSERT INTO mark (key) SELECT ? FROM pg_sleep(0.1)", [("slow",)]))
    commit = asyncio.ensure_future(first.commit())
    waiting = asyncio.ensure_future(second.run(text("SELECT pg_sleep(10)")))
    while not second.busy or second._channel is None:  # type: ignore[attr-defined]  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)
    waiting.cancel()
    await commit
    await asyncio.wait((waiting,))
    await second.rollback()
    assert await marks(storage) == ["first", "slow"]
