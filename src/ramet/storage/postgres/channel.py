"""One connection to PostgreSQL in its three shapes: the driver's, SQLAlchemy's, and its asynchronous face."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any, cast

import asyncpg
from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

from ramet.storage.base import Row
from ramet.storage.postgres.carrier import Carrier, soon
from ramet.storage.postgres.dialect import Kin, Mutex, Unsuited, driver_of
from ramet.storage.postgres.pipeline import Pipeline
from ramet.storage.postgres.sql import lengths, repeated, tagged, translated


class Channel:
    """SQLAlchemy believes to be in one endless transaction; the real ones are begun and ended beneath it."""

    was_idle = False
    """Nobody was using it when it was taken, since `idle_since`: it may have been broken for as long."""
    idle_since = 0.0

    def __init__(self, raw: Any, kin: Kin, pipeline: Carrier) -> None:
        self.raw = raw
        self.pipeline = pipeline
        self.driver = driver_of(raw, self.pipeline)
        self.engine = kin.engine(self.driver)
        self.async_engine = AsyncEngine(self.engine)
        if prepare := cast("Any", kin.dialect).on_connect():
            prepare(self.driver)
        self._connect()

    def _connect(self) -> None:
        self.connection: Connection = self.engine.connect()
        self.facade = AsyncConnection(self.async_engine, self.connection)
        self.connection.begin()

    @classmethod
    async def connect(cls, raw: Any, kin: Kin, pipeline: Carrier) -> Channel:
        """A channel on this connection; SQLAlchemy first looks at it in a greenlet. Raises: ConnectionError, too."""
        return await soon(raw, pipeline.answer_seconds, greenlet_spawn(cls, raw, kin, pipeline))

    @property
    def is_alive(self) -> bool:
        """Whether the connection is, as far as this side knows."""
        return not (self.raw.is_closed() or self.pipeline.is_bare)

    @property
    def mutex(self) -> Mutex:
        """Held by the statement that is under way: one connection takes one at a time."""
        return self.driver._execute_mutex  # noqa: SLF001 - SQLAlchemy's, which holds it, too

    @property
    def is_busy(self) -> bool:
        """Whether a statement is under way on this connection."""
        return self.mutex.locked()

    @property
    def is_cancelling(self) -> bool:
        """Whether the answer to something that was cancelled is still to come, as far as asyncpg says."""
        return bool(getattr(self.raw._protocol, "_is_cancelling", bool)())  # noqa: SLF001 - as above

    def restart(self) -> None:
        """Begin SQLAlchemy's endless transaction again, where it has ended it; nobody listens any more."""
        self.driver.on_rollback = self.driver.on_error = None
        if self.connection.closed or self.connection.invalidated:
            self.connection.close()
            self._connect()
        elif self.connection.in_nested_transaction() or not self.connection.in_transaction():
            self.connection.rollback()
            self.connection.begin()

    # -- statements ----------------------------------------------------------------------------------------------

    async def command(self, sql: str) -> str:
        """Execute statements without parameters; several, separated by semicolons, cost one round trip."""
        self.pipeline.drop()
        async with self.mutex:
            return str(await self.pipeline.carry(self.raw.execute(sql)))

    async def select(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute a statement of SQLAlchemy; the result is buffered."""
        return await greenlet_spawn(self.connection.execute, statement, parameters)

    def put_statement(self, statement: Executable, parameters: Any = None) -> CursorResult[Any] | None:
        """Execute a statement of SQLAlchemy with what is sent next; None where it has to be executed by itself.

        The result has no number of rows before somebody sets it.
        """
        if not isinstance(self.pipeline, Pipeline):
            return None
        self.driver.put = self._put
        try:
            return self.connection.execute(statement, parameters)
        except Unsuited:
            return None
        finally:
            self.driver.put = None

    def _put(self, operation: str, parameters: Sequence[Any]) -> None:
        if (change := self.driver.change(operation)) is None or not change.suits(parameters):
            raise Unsuited
        assert isinstance(self.pipeline, Pipeline)
        self.pipeline.put_prepared(change.name, tuple(parameters))

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """Rows, through the driver."""
        async with self.mutex:
            found = await self.pipeline.carry(self.raw.fetch(translated(sql), *parameters))
            return [tuple(row) for row in found]

    async def fetch_soon(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """As `fetch`, but given up with the connection where there is no answer. Raises: ConnectionError, too."""
        return await soon(self.raw, self.pipeline.answer_seconds, self.fetch(sql, parameters))

    def put(self, sql: str, rows: Sequence[Row], tag: int = 0) -> None:
        """Execute for each row with what is sent next; each row written gives the tag back."""
        text = tagged(sql)
        for row in rows:
            self.pipeline.put(text, (*row, tag))

    def put_inserts(self, sql: str, rows: Sequence[Row]) -> None:
        """Insert all of them with what is sent next, or fail; nothing is given back."""
        first = 0
        for length in lengths(len(rows)):
            several = rows[first : first + length]
            self.pipeline.put(repeated(sql, length), several[0] if length == 1 else tuple(chain(*several)))
            first += length

    async def execute(self, sql: str, rows: Sequence[Row]) -> int:
        """Execute for each row in one round trip; returns the number of rows written."""
        async with self.mutex:
            self.put(sql, rows)
            return len(await self.pipeline.send().answer())

    def shut(self) -> None:
        """Let SQLAlchemy forget the connection."""
        self.driver.on_rollback = self.driver.on_error = None
        self.connection.close()
        self.engine.dispose()

    async def close(self) -> None:
        """Disconnect, in order where the server answers."""
        self.shut()
        try:
            async with asyncio.timeout(self.pipeline.answer_seconds):
                await self.pipeline.ended()
            if under_way := self.raw._cancellations:  # noqa: SLF001 - asyncpg leaves them behind
                await asyncio.wait(under_way, timeout=2)
            await self.raw.close(timeout=2)
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self.raw.terminate()
