"""SQLAlchemy over an asyncpg connection whose transactions are somebody else's business."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Literal, NoReturn, TypeVar, cast

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import (
    AsyncAdapt_asyncpg_connection,
    AsyncAdapt_asyncpg_cursor,
    PGDialect_asyncpg,
)
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.util.concurrency import greenlet_spawn

from ramet.storage.postgres.carrier import Carrier, soon
from ramet.storage.statements import refuse_in_work

T = TypeVar("T")


class Unsuited(Exception):
    """A statement that asyncpg has to execute."""


class Cursor(AsyncAdapt_asyncpg_cursor):
    """Executes a statement together with what was put ahead of it."""

    __slots__ = ()
    _adapt_connection: Any
    _description: Any

    def execute(self, operation: str, parameters: Any = None) -> None:
        """As SQLAlchemy asks, or only put ahead of what is executed next."""
        if (put := self._adapt_connection.put) is None:
            super().execute(operation, parameters)  # type: ignore[no-untyped-call]  # SQLAlchemy's adapter has no types
        else:
            put(operation, parameters or ())

    def executemany(self, operation: str, seq_of_parameters: Sequence[Any]) -> Any:
        """As SQLAlchemy asks."""
        if self._adapt_connection.put is not None:
            raise Unsuited
        return super().executemany(operation, seq_of_parameters)  # type: ignore[no-untyped-call]  # as above

    async def _prepare_and_execute(self, operation: str, parameters: Sequence[Any] | None) -> None:
        if self._adapt_connection.on_error is not None:
            refuse_in_work(operation)
        await self._alone(self._fetched(operation, parameters or ()))

    async def _executemany(self, operation: str, seq_of_parameters: Sequence[Any]) -> Any:
        self._description = None
        return await self._alone(self._connection.executemany(operation, seq_of_parameters))

    async def _alone(self, operation: Awaitable[T]) -> T:
        driver = self._adapt_connection
        async with driver._execute_mutex:  # noqa: SLF001 - one connection takes one statement at a time
            try:
                return cast("T", await driver.carried(operation))
            except asyncio.CancelledError as error:
                if driver.on_error is not None:
                    driver.on_error(error)
                raise
            except Exception as error:
                driver._handle_exception(error)  # noqa: SLF001 - the way its own cursor does
                raise

    async def _fetched(self, operation: str, parameters: Sequence[Any]) -> None:
        asof = self._invalidate_schema_cache_asof
        statement, columns = await self._adapt_connection._prepare(operation, asof)  # noqa: SLF001 - as above
        self._description = [(one.name, one.type.oid, *_UNKNOWN) for one in columns] if columns else None
        self._rows = deque(await statement.fetch(*parameters))
        self._rowcount = written(statement.get_statusmsg())


_UNKNOWN = (None,) * 5
_COUNTED = ("INSERT", "UPDATE", "DELETE", "SELECT", "MERGE")


def written(status: str) -> int:
    """The number of rows in what PostgreSQL says at the end of a statement, -1 where it says none.

    >>> written("INSERT 0 3"), written("CREATE TABLE")
    (3, -1)
    """
    return int(status.rpartition(" ")[2]) if status.startswith(_COUNTED) else -1


class Mutex(asyncio.Lock):
    """One statement at a time; whoever has `kept` it takes it for each of several, and nobody else between them."""

    _depth = 0

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep it: within this block, and with no other task begun, it is taken at once."""
        async with self:
            token = _keeping.set(self)
            try:
                yield
            finally:
                _keeping.reset(token)

    async def acquire(self) -> Literal[True]:
        if _keeping.get() is self:
            self._depth += 1
            return True
        return await super().acquire()

    def release(self) -> None:
        if self._depth:
            self._depth -= 1
        else:
            super().release()


_keeping: ContextVar[Mutex | None] = ContextVar("ramet_keeping", default=None)


_STATEMENTS = 500
"""How many a connection keeps prepared."""

_CHANGES = ("INSERT ", "UPDATE ", "DELETE ")
_EXACT = {
    **dict.fromkeys(("int2", "int4", "int8"), int),
    **dict.fromkeys(("text", "varchar"), str),
    "bool": bool,
    "bytea": bytes,
    "float8": float,
}
"""By PostgreSQL's type of a parameter: values that mean to it what they mean to asyncpg, as text or as they are."""


class Change:
    """A prepared statement that can be executed without asyncpg."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self.name: bytes = statement.get_name().encode()
        self._kinds = [_EXACT.get(kind.name) for kind in statement.get_parameters()]

    def suits(self, parameters: Sequence[Any]) -> bool:
        """Whether the values can be sent as they are, and asyncpg would do the same."""
        return all(
            kind is not None and (value is None or type(value) is kind)
            for kind, value in zip(self._kinds, parameters, strict=True)
        )


class Driver(AsyncAdapt_asyncpg_connection):
    """`commit` and `close` do nothing, `rollback` is reported: units of work begin and end transactions beneath it.

    `on_error` is told of each error before SQLAlchemy wraps it, and may raise another; of cancellations as well, since
    what was cancelled may be under way still, whoever has caught that.
    """

    _cursor_cls = Cursor
    _execute_mutex: Mutex
    pipeline: Carrier | None = None
    on_rollback: Callable[[], object] | None = None
    on_error: Callable[[BaseException], object] | None = None
    put: Callable[[str, Sequence[Any]], None] | None = None
    """Where it is there, statements are given to it instead of being executed, and SQLAlchemy does not wait."""

    changes: dict[str, Change]

    def change(self, operation: str) -> Change | None:
        """What asyncpg has prepared, if it changes rows and gives none back."""
        cache = self._prepared_statement_cache
        if cache is None or operation not in cache or not operation.startswith(_CHANGES):
            return None
        statement, columns, _ = cache[operation]
        if columns:
            return None
        known = self.changes.get(operation)
        if known is None or known.statement is not statement:
            if len(self.changes) >= _STATEMENTS:
                self.changes.clear()
            known = self.changes[operation] = Change(statement)
        return known

    async def carried(self, operation: Any) -> Any:
        """Await an operation of asyncpg, with what was put ahead of it."""
        return await (operation if self.pipeline is None else self.pipeline.carry(operation))

    def _handle_exception(self, error: Exception) -> NoReturn:
        if self.on_error is not None:
            self.on_error(error)
        super()._handle_exception(error)

    async def _start_transaction(self) -> None:
        """The unit of work begins."""

    def commit(self) -> None:
        """The unit of work commits."""

    def rollback(self) -> None:
        if self.on_rollback is not None:
            self.on_rollback()

    def close(self) -> None:
        """The pool closes."""

    def terminate(self) -> None:
        """The pool closes."""


class RametDialect(PGDialect_asyncpg):
    """SQLAlchemy's dialect for asyncpg, on connections that are given to it."""

    driver = "ramet"
    supports_statement_cache = True


_DBAPI = cast("Any", RametDialect).import_dbapi()

registry.register("postgresql.ramet", __name__, "RametDialect")


class Kin:
    """What all connections to one database share: the dialect, which knows the server, and compiled statements."""

    def __init__(self, driver: Driver) -> None:
        first = create_async_engine(
            "postgresql+ramet://", creator=lambda: driver, poolclass=StaticPool, pool_reset_on_return=None
        ).sync_engine
        first.connect().close()
        self._first = first

    @property
    def dialect(self) -> RametDialect:
        """The dialect."""
        dialect = self._first.dialect
        assert isinstance(dialect, RametDialect)
        return dialect

    @classmethod
    async def of(cls, raw: Any, answer_seconds: float) -> Kin:
        """Look at the server through this connection. Raises: ConnectionError, too."""
        return await soon(raw, answer_seconds, greenlet_spawn(lambda: cls(driver_of(raw))))

    def engine(self, driver: Driver) -> Engine:
        """An engine whose only connection is this one."""
        pool = StaticPool(lambda: driver, dialect=self.dialect, reset_on_return=None)  # type: ignore[arg-type]  # a Driver is a connection
        engine = Engine(pool, self.dialect, URL.create("postgresql+ramet"))
        engine._compiled_cache = self._first._compiled_cache  # noqa: SLF001 - the option of this name is not for sharing
        return engine


def driver_of(raw: Any, pipeline: Carrier | None = None) -> Driver:
    """SQLAlchemy's face of an asyncpg connection."""
    make: Any = Driver  # SQLAlchemy's adapter has no types
    driver: Driver = make(_DBAPI, raw, prepared_statement_cache_size=_STATEMENTS)
    driver.changes = {}
    driver.pipeline = pipeline
    driver._execute_mutex = Mutex()  # noqa: SLF001 - in the place of SQLAlchemy's own, which its cursors take
    return driver
