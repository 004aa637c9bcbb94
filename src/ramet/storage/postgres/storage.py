"""A schema of a PostgreSQL database as the port wants it: opened, read, written, listened to and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ramet.errors import EffectInQuery, StorageError
from ramet.storage.address import address
from ramet.storage.base import Row, Storage, Unit, Write
from ramet.storage.history import NO_HISTORY, History
from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.connecting import Connector, application_name
from ramet.storage.postgres.failures import FAILURES, failure, is_away, is_blocked, is_gone, sqlstate
from ramet.storage.postgres.listening import Listening
from ramet.storage.postgres.opening import LOCK, prepare
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.pool import ATTEMPTS, Pool
from ramet.storage.postgres.rows import Means, Rows
from ramet.storage.postgres.unit import TURN, PostgresUnit
from ramet.storage.sessions import reading_session
from ramet.tasks import Tasks

T = TypeVar("T")

_EVICT = """SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND starts_with(application_name, ?)"""
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresStorage(Storage):
    """The database of one service: the schema of its name at `url`.

    `url` is `postgresql://[user[:password]@]host[:port]/database[?host=/folder&sslmode=…]`.
    """

    shared = True

    def __init__(self, service: str, url: str, options: PostgresOptions | None = None) -> None:
        self.service = self.schema = service
        self.options = options or PostgresOptions()
        self.address = address(url)
        self._tasks = Tasks()
        self._connector = Connector(self.address, self.schema, self.options, self._tasks.spawn)
        self.process = self._connector.process
        self._units: Pool | None = None
        self._readers: Pool | None = None
        self._writers: Sequence[Pool] = ()
        self._listening: Listening | None = None
        self._means: Means | None = None

    @property
    def location(self) -> str:
        """The server, database and schema."""
        return f"{self.address}, schema {self.schema}"

    # -- life ----------------------------------------------------------------------------------------------------

    async def open(self, schema: Sequence[str], history: History = NO_HISTORY) -> None:
        connect, options, spawn = self._connector, self.options, self._tasks.spawn
        try:
            if not options.readonly:
                await self._prepare(schema, history)
            self._readers = Pool(connect.reader, options.readers, spawn)
            await self._readers_warm()
        except FAILURES as error:
            await self.close()
            raise failure(error, self.location) from error
        except StorageError:
            await self.close()
            raise
        if not options.readonly:
            self._units = Pool(connect.unit, options.units, spawn)
            self._writers = pool, apart = Pool(connect.writer, 1, spawn), Pool(connect.writer, 1, spawn)
            self._means = Means(
                self._units,
                Rows(pool, options, self.location, spawn),
                Rows(apart, options, self.location, spawn),
                self.location,
            )
        self._listening = Listening(f"{self.address.database}.{self.schema}", connect.listener, options, spawn)

    async def _prepare(self, schema: Sequence[str], history: History) -> None:
        raw = await self._connector.preparer()
        try:
            await prepare(raw, self.schema, (TURN, *schema), history, self.location)
            await self._connector.look_at(raw)
        finally:
            raw.terminate()

    async def _readers_warm(self) -> None:
        pool = self._reading_pool
        pool.give(await pool.take())

    async def close(self) -> None:
        if self._means is not None:
            await self._means.rows.close()
            await self._means.apart.close()
        if self._listening is not None:
            await self._listening.close()
        for pool in (self._units, *self._writers, self._readers):
            if pool is not None:
                await pool.close()
        await self._tasks.stop()
        self._units = self._readers = self._listening = self._means = None

    # -- work ----------------------------------------------------------------------------------------------------

    @property
    def _reading_pool(self) -> Pool:
        if self._readers is None:
            raise StorageError(f"The database of {self.service} at {self.location} is not open.")
        return self._readers

    @property
    def means(self) -> Means:
        """What writes. Raises: StorageError where the storage is closed or open for reading only."""
        if self._means is None:
            state = "open for reading only" if self._readers is not None else "not open"
            raise StorageError(f"The database of {self.service} at {self.location} is {state}.")
        return self._means

    @property
    def rows(self) -> Rows:
        """Ramet's own rows, in groups. Raises: as `means`."""
        return self.means.rows

    def unit(self, *, eager: bool = False, whole: bool = False) -> Unit:
        return PostgresUnit(self.means, eager=eager, whole=whole)

    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await self._once(lambda channel: channel.select(statement, parameters))

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        return await self._once(lambda channel: channel.fetch_soon(sql, parameters))

    async def _once(self, work: Callable[[Channel], Awaitable[T]]) -> T:
        """Execute one statement that reads; where the connection was lost, once more on another that was not idle."""
        again = True
        for left in reversed(range(ATTEMPTS)):
            async with self._reader() as channel:
                try:
                    return await work(channel)
                except FAILURES as error:
                    if not (again and left and is_gone(error)):
                        raise failure(error, self.location) from error
                except StorageError:
                    if not (again and left) or channel.is_alive:
                        raise
                again = channel.was_idle
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def _reader(self, begin: str = "") -> AsyncIterator[Channel]:
        pool = self._reading_pool
        try:
            channel = await (pool.begun(begin) if begin else pool.take())
        except FAILURES as error:
            raise failure(error, self.location) from error
        channel.driver.on_error = self._read_failed
        try:
            yield channel
        except BaseException:
            pool.undo(channel)
            raise
        if channel.is_alive and channel.raw.is_in_transaction():
            pool.undo(channel)
        else:
            pool.give(channel)

    def _read_failed(self, error: BaseException) -> None:
        if sqlstate(error) == "25006":
            raise EffectInQuery(
                f"A query of {self.service} tried to write to its database: queries have no effects. "
                "Make it a @command."
            ) from error
        if is_away(error) or is_blocked(error):
            raise failure(error, self.location) from error

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Channel]:
        async with self._reader(_SNAPSHOT) as channel:
            yield channel

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._snapshot() as channel:
            yield channel.facade

    @asynccontextmanager
    async def reading_session(self) -> AsyncIterator[AsyncSession]:
        async with self._snapshot() as channel, reading_session(channel.connection, self.service) as session:
            yield session

    @asynccontextmanager
    async def maintenance(self) -> AsyncIterator[AsyncConnection]:
        self.means  # noqa: B018 - says where the storage is closed
        channel, committing = await self._connector.maintainer(), False
        try:
            await channel.command("BEGIN")
            await channel.raw.execute(LOCK, f"ramet {self.schema}")
            yield channel.facade
            committing = True
            await channel.command("COMMIT")
        except FAILURES as error:
            raise failure(error, self.location, committing=committing) from error
        finally:
            await asyncio.shield(self._tasks.spawn(channel.close()))

    async def exists(self, sql: str, *parameters: Any) -> bool:
        return await self.rows.write([Write(sql, [parameters])]) != (0,)

    async def write(self, *writes: Write) -> tuple[int, ...]:
        return await self.rows.write(writes)

    async def write_apart(self, write: Write) -> int:
        (count,) = await self.means.apart.write((write,))
        return count

    def write_later(self, *writes: Write) -> None:
        self.rows.write_later(writes)

    async def evict(self, process: str) -> None:
        await self.fetch(_EVICT, application_name(process))

    # -- waking those who wait for rows --------------------------------------------------------------------------

    def notify(self, channel: str) -> None:
        self._awake().notify(channel)

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        self._awake().listen(channel, wake)

    def _awake(self) -> Listening:
        if self._listening is None:
            raise StorageError(f"The database of {self.service} at {self.location} is not open.")
        return self._listening
