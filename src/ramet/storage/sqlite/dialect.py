"""SQLAlchemy on SQLite without threads: statements run at once, on the event loop, and their rows are buffered.

A statement takes a few microseconds; handing it to a thread and back takes a hundred. The dialect is SQLAlchemy's own
for `sqlite3`, told that it is asynchronous: inside one of SQLAlchemy's greenlets each statement awaits a coroutine that
is ready, outside of one it simply runs, so that a plain `Connection` works as well and costs less.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import DateTime, Dialect, Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.util.concurrency import await_, in_greenlet


async def _ready() -> None:
    """Give SQLAlchemy the await it insists on."""


class InlineCursor:
    """A cursor that has fetched everything by the time `execute` returns."""

    __slots__ = ("_connection", "_cursor", "_rows", "arraysize")
    server_side = False

    def __init__(self, connection: InlineConnection) -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()
        self._rows: deque[Any] = deque()
        self.arraysize = 1

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> InlineCursor:
        if in_greenlet():
            await_(_ready())
        try:
            self._cursor.execute(operation, parameters)
            if self._cursor.description is not None:
                self._rows = deque(self._cursor.fetchall())
        except sqlite3.Error:
            self._connection.failed()
            raise
        return self

    def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> InlineCursor:
        if in_greenlet():
            await_(_ready())
        try:
            self._cursor.executemany(operation, parameters)
        except sqlite3.Error:
            self._connection.failed()
            raise
        return self

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        count = min(self.arraysize if size is None else size, len(self._rows))
        return [self._rows.popleft() for _ in range(count)]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def setinputsizes(self, *_sizes: Any) -> None:
        """SQLite has no use for them."""

    def close(self) -> None:
        self._cursor.close()


class InlineConnection:
    """A connection whose transactions are somebody else's business: `commit` does nothing, `rollback` is reported."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self.on_rollback: Callable[[], object] | None = None
        self.on_failure: Callable[[], object] | None = None

    def failed(self) -> None:
        if self.on_failure is not None:
            self.on_failure()

    def cursor(self, *_: Any, **__: Any) -> InlineCursor:
        return InlineCursor(self)

    def commit(self) -> None:
        """The unit of work commits."""

    def rollback(self) -> None:
        if self.on_rollback is not None:
            self.on_rollback()

    def close(self) -> None:
        self.raw.close()

    def create_function(self, *arguments: Any, **options: Any) -> None:
        self.raw.create_function(*arguments, **options)

    @property
    def isolation_level(self) -> str | None:
        return self.raw.isolation_level

    @isolation_level.setter
    def isolation_level(self, value: str | None) -> None:
        """Always autocommit: transactions are begun explicitly."""

    @property
    def total_changes(self) -> int:
        return self.raw.total_changes


class UtcDateTime(DATETIME):
    """With `timezone=True` aware values go in and come out, as on PostgreSQL; what is stored is UTC."""

    def bind_processor(self, dialect: Dialect) -> Any:
        store: Any = super().bind_processor(dialect)
        if not self.timezone:
            return store
        return lambda value: store(value if value is None else _naive_utc(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        load: Any = super().result_processor(dialect, coltype)
        if not self.timezone:
            return load
        return lambda text: None if (value := load(text)) is None else value.replace(tzinfo=UTC)


def _naive_utc(value: datetime) -> datetime:
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


class InlineDialect(SQLiteDialect_pysqlite):
    """SQLAlchemy's dialect for `sqlite3`, declared asynchronous."""

    colspecs = {**SQLiteDialect_pysqlite.colspecs, DateTime: UtcDateTime}  # noqa: RUF012 - an attribute of SQLAlchemy
    driver = "ramet"
    is_async = True
    supports_statement_cache = True
    supports_server_side_cursors = False


registry.register("sqlite.ramet", __name__, "InlineDialect")


def inline_engine(connection: InlineConnection, like: AsyncEngine | None = None) -> AsyncEngine:
    """An engine whose only connection is this one; with `like`, statements are compiled once for both."""
    if like is None:
        return create_async_engine(
            "sqlite+ramet://", creator=lambda: connection, poolclass=StaticPool, pool_reset_on_return=None
        )
    first = like.sync_engine
    pool = StaticPool(cast("Any", lambda: connection), dialect=first.dialect, reset_on_return=None)
    engine = Engine(pool, first.dialect, first.url)
    engine._compiled_cache = first._compiled_cache  # noqa: SLF001 - the option of this name is not for sharing
    if prepare := first.dialect.on_connect():
        prepare(cast("Any", connection))
    return AsyncEngine(engine)
