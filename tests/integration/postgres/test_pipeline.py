"""Statements travel together and connections go on early: whose error it is, and what is committed, stays as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ramet.errors import DuplicateRow, Refusal, StorageError, UsageError
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.base import Unit, Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.pipeline import Pipeline
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.telemetry.scope import FreshKey, Scope, Work
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")

TABLES = (
    "CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS child (of TEXT REFERENCES mark (key) DEFERRABLE INITIALLY DEFERRED, n INTEGER)",
)
MARK = "INSERT INTO mark (key) VALUES (?)"
CODEC = AnswerCodec[str](str.encode, bytes.decode, lambda _: b"", lambda _: Refusal())
numbers = count()
PATIENCE_SECONDS = 10.0


@pytest.fixture
async def storage(server: PostgresServer) -> AsyncIterator[PostgresStorage]:
    options = PostgresOptions(units=1, connect_seconds=5)
    made = PostgresStorage(f"pipeline_{next(numbers)}", f"{server.url}/postgres", options)
    await made.open((*SCHEMA, *TABLES))
    yield made
    await made.close()


async def marks(storage: PostgresStorage) -> list[str]:
    return [row[0] for row in await storage.fetch("SELECT key FROM mark ORDER BY key")]


async def committed(storage: PostgresStorage, key: str, *deferred: Write) -> None:
    unit = storage.unit()
    await unit.run(text(f"INSERT INTO mark VALUES ('{key}')"))
    for write in deferred:
        unit.defer(write)
    await unit.commit()


async def test_who_waits_for_the_connection_is_not_harmed_by_the_commit_that_fails_before_it(
    storage: PostgresStorage,
) -> None:
    wrong = Write(MARK, [("twice",), ("twice",)])
    orders = [committed(storage, "a", wrong), committed(storage, "b"), committed(storage, "c", wrong)]
    ends = await asyncio.gather(*orders, committed(storage, "d"), return_exceptions=True)
    assert [type(end) for end in ends] == [DuplicateRow, type(None), DuplicateRow, type(None)]
    assert await marks(storage) == ["b", "d"]


async def test_a_commit_that_failed_keeps_no_lock_while_nobody_needs_its_connection(
    server: PostgresServer, storage: PostgresStorage
) -> None:
    unit = storage.unit()
    for key in ("a", "b"):  # the second one is behind a savepoint, whose failure leaves the locks from before it
        await unit.run(text(f"INSERT INTO mark VALUES ('{key}')"))
    unit.defer(Write(MARK, [("twice",), ("twice",)]))
    with pytest.raises(DuplicateRow):
        await unit.commit()
    other = await asyncpg.connect(f"{server.url}/postgres")
    async with asyncio.timeout(PATIENCE_SECONDS), other.transaction():
        await other.execute(f"LOCK TABLE {storage.service}.ramet_turn IN EXCLUSIVE MODE")
    await other.close()


async def test_a_constraint_that_is_checked_at_the_commit_fails_its_own_unit_alone(storage: PostgresStorage) -> None:
    orphan = Write("INSERT INTO child (of, n) VALUES (?, ?)", [("nobody", 1)])
    ends = await asyncio.gather(
        committed(storage, "a", orphan), committed(storage, "b"), committed(storage, "c"), return_exceptions=True
    )
    assert [isinstance(end, StorageError) for end in ends] == [True, False, False]
    assert await marks(storage) == ["b", "c"]


async def test_many_units_take_turns_on_one_connection(storage: PostgresStorage) -> None:
    await asyncio.gather(*(committed(storage, f"{number:03}") for number in range(100)))
    assert len(await marks(storage)) == 100


class Pieces:
    """A transport that remembers what is written to it."""

    def __init__(self, transport: Any) -> None:
        self.written: list[bytes] = []
        self._transport = transport

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_a_commit_and_what_waits_for_its_connection_leave_in_one_piece(storage: PostgresStorage) -> None:
    await committed(storage, "before")
    assert storage._units is not None
    (channel,) = storage._units._idle
    pipeline = channel.pipeline
    assert isinstance(pipeline, Pipeline)
    pieces = pipeline._transport = Pieces(pipeline._transport)
    await asyncio.gather(*(committed(storage, f"{number}") for number in range(3)))
    begin, commit = (pipeline._names[sql][0] for sql in ("BEGIN", "COMMIT"))
    assert [(piece.count(commit), piece.count(begin)) for piece in pieces.written] == [(0, 1), (1, 1), (1, 1), (1, 0)]
    assert await marks(storage) == ["0", "1", "2", "before"]


async def test_a_commit_that_waits_for_company_is_durable_though_who_came_was_cancelled(
    storage: PostgresStorage,
) -> None:
    first, second = storage.unit(), storage.unit()
    await first.run(text("INSERT INTO mark VALUES ('first')"))
    waiting = asyncio.ensure_future(second.run(text("INSERT INTO mark VALUES ('second')")))
    await asyncio.sleep(0)  # it waits for the only connection
    commit = asyncio.ensure_future(first.commit())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(commit, waiting, return_exceptions=True)
    await second.rollback()
    assert await marks(storage) == ["first"]


async def test_a_value_that_the_driver_refuses_leaves_the_unit_usable(storage: PostgresStorage) -> None:
    unit = storage.unit()
    await unit.run(text("INSERT INTO mark VALUES ('before')"))
    with pytest.raises(DBAPIError):
        await unit.run(text("INSERT INTO child VALUES ('before', :n)"), {"n": "no number"})
    await unit.run(text("INSERT INTO mark VALUES ('after')"))
    await unit.commit()
    assert await marks(storage) == ["after", "before"]


async def test_a_first_statement_that_the_driver_refuses_leaves_no_transaction(storage: PostgresStorage) -> None:
    unit = storage.unit()
    with pytest.raises(DBAPIError):
        await unit.run(text("INSERT INTO child VALUES ('before', :n)"), {"n": "no number"})
    await unit.run(text("INSERT INTO mark VALUES ('after')"))
    await unit.commit()
    await committed(storage, "next")
    assert await marks(storage) == ["after", "next"]


async def test_a_statement_that_fails_is_undone_alone(storage: PostgresStorage) -> None:
    unit = storage.unit()
    await unit.run(text("INSERT INTO mark VALUES ('a')"))
    with pytest.raises(IntegrityError):
        await unit.run(text("INSERT INTO mark VALUES ('a')"))
    with pytest.raises(DBAPIError):
        await unit.run(text("INSERT INTO nowhere VALUES ('a')"))
    await unit.run(text("INSERT INTO mark VALUES ('b')"))
    await unit.commit()
    assert await marks(storage) == ["a", "b"]


async def test_the_driver_beneath_a_connection_is_in_the_transaction(storage: PostgresStorage) -> None:
    unit = storage.unit()
    raw = (await (await unit.connection()).get_raw_connection()).driver_connection
    assert isinstance(raw, asyncpg.Connection)
    await raw.copy_records_to_table("mark", records=[("copied",)])
    await unit.rollback()
    assert await marks(storage) == []


async def test_a_cancelled_statement_does_not_undo_the_commit_before_it(storage: PostgresStorage) -> None:
    first, second = storage.unit(), storage.unit()
    await first.run(text("INSERT INTO mark VALUES ('first')"))
    commit = asyncio.ensure_future(first.commit())
    waiting = asyncio.ensure_future(second.run(text("SELECT pg_sleep(10)")))
    await commit
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await second.rollback()
    assert await marks(storage) == ["first"]


async def test_a_fresh_key_that_is_none_changes_nothing(storage: PostgresStorage) -> None:
    answers, runs = Answers(storage, "mark", lambda: 1.0), count(1)

    async def once(key: str) -> str:
        scope = Scope(storage.service, Work.COMMAND, "mark", key)

        async def body() -> str:
            assert isinstance(scope.unit, Unit)
            await scope.unit.run(text(f"INSERT INTO mark VALUES ('{next(runs)}')"))
            return "the first"

        return await answers.once(scope, key, body, CODEC)

    assert [await once(FreshKey("k")), await once(FreshKey("k")), await once("k")] == ["the first"] * 3
    assert await marks(storage) == ["1"]


async def test_looks_of_one_moment_are_one_group(storage: PostgresStorage) -> None:
    await storage.write(Write(MARK, [("a",)]))
    before = storage.rows.groups
    look = "SELECT key FROM mark WHERE key = ?"
    assert await asyncio.gather(*(storage.exists(look, key) for key in "aba")) == [True, False, True]
    assert storage.rows.groups <= before + 2


@pytest.mark.parametrize("sql", ["COMMIT", "rollback", "BEGIN", "SET search_path = public", "DEALLOCATE ALL"])
async def test_what_would_end_the_transaction_or_outlive_it_is_refused_whatever_its_way(
    storage: PostgresStorage, sql: str
) -> None:
    unit = storage.unit()
    async with unit.session() as session:
        connection = await session.connection()
        await connection.execute(text("INSERT INTO mark VALUES ('before')"))
        with pytest.raises(UsageError, match=rf"(?s)executed '{sql}'.*eave the statement out"):
            await connection.exec_driver_sql(sql)
        await connection.exec_driver_sql("SET LOCAL statement_timeout = '5s'")
        await connection.exec_driver_sql("SAVEPOINT mine")
        await connection.execute(text("INSERT INTO mark VALUES ('undone')"))
        await connection.exec_driver_sql("ROLLBACK TO SAVEPOINT mine")
    assert await marks(storage) == []
    await unit.commit()
    assert await marks(storage) == ["before"]


async def test_a_lock_that_would_outlive_the_work_is_refused(storage: PostgresStorage) -> None:
    unit = storage.unit()
    await unit.read(text("SELECT pg_advisory_xact_lock(1)"))
    with pytest.raises(UsageError, match="pg_advisory_xact_lock"):
        await unit.read(text("SELECT pg_advisory_lock(1)"))
    await unit.commit()


async def test_statements_that_the_server_was_made_to_forget_are_prepared_again(storage: PostgresStorage) -> None:
    await storage.write(Write(MARK, [("before",)]))
    (channel,) = storage._writers[0]._idle
    await channel.raw.execute("DEALLOCATE ALL")
    with suppress(StorageError):
        await storage.write(Write(MARK, [("perhaps",)]))
    await storage.write(Write(MARK, [("after",)]))
    assert {"before", "after"} <= set(await marks(storage))
