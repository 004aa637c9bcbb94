"""SQLAlchemy over an asyncpg connection whose transactions are somebody else's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, cast

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection, PGDialect_asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.util.concurrency import greenlet_spawn


class Driver(AsyncAdapt_asyncpg_connection):
    """`commit` and `close` do nothing, `rollback` is reported: units of work begin and end transactions beneath it.

    `on_error` is told of each error before SQLAlchemy wraps it, and may raise another.
    """

    on_rollback: Callable[[], object] | None = None
    on_error: Callable[[Exception], object] | None = None

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
    async def of(cls, raw: Any) -> Kin:
        """Look at the server through this connection."""
        return await greenlet_spawn(lambda: cls(driver_of(raw)))

    def engine(self, driver: Driver) -> Engine:
        """An engine whose only connection is this one."""
        pool = StaticPool(lambda: driver, dialect=self.dialect, reset_on_return=None)  # type: ignore[arg-type]  # a Driver is a connection
        engine = Engine(pool, self.dialect, URL.create("postgresql+ramet"))
        engine._compiled_cache = self._first._compiled_cache  # noqa: SLF001 - the option of this name is not for sharing
        return engine


def driver_of(raw: Any) -> Driver:
    """SQLAlchemy's face of an asyncpg connection."""
    make: Any = Driver  # SQLAlchemy's adapter has no types
    driver: Driver = make(_DBAPI, raw, prepared_statement_cache_size=500)
    return driver
