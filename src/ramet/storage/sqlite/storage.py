"""A SQLite file as the port wants it: durable by default, opened, read, written and closed.

Statements run on the event loop (dialect.py), units of work take turns on one connection (writer.py). Reads of a
query go to a connection that sees what is committed. Reads of a command before its first write see what is released,
committed or about to be, and the command does not answer before that is durable.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, Executable, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ramet.errors import EffectInQuery, StorageError
from ramet.storage.base import Row, Storage, Unit, Write
from ramet.storage.history import NO_HISTORY, History
from ramet.storage.lock import FileLock
from ramet.storage.sessions import reading_session
from ramet.storage.sqlite.batch import FAILURES, failure
from ramet.storage.sqlite.channel import Channel, Channels
from ramet.storage.sqlite.checkpoint import PAGES, Checkpointer
from ramet.storage.sqlite.opening import prepare
from ramet.storage.sqlite.options import TEMPORARY, SqliteOptions
from ramet.storage.sqlite.unit import SqliteUnit
from ramet.storage.sqlite.writer import Writer


class SqliteStorage(Storage):
    """The database of one service in the file `path`; without a path in a temporary file, gone when closed."""

    def __init__(self, service: str, path: Path | str | None = None, options: SqliteOptions | None = None) -> None:
        self.service = service
        self.options = options or (SqliteOptions() if path is not None else TEMPORARY)
        self._path = Path(path) if path is not None else None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock: FileLock | None = None
        self._writing: Channel | None = None
        self._latest: Channel | None = None
        self._reading: Channel | None = None
        self._spare: list[Channel] = []
        self._writer: Writer | None = None
        self._checkpointer: Checkpointer | None = None
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._notified: set[str] = set()

    @property
    def location(self) -> str:
        """The file."""
        return str(self._path or "a temporary file")

    # -- life ----------------------------------------------------------------------------------------------------

    async def open(self, schema: Sequence[str], history: History = NO_HISTORY) -> None:
        if self._path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ramet-", dir=_memory_folder())
            self._path = Path(self._folder.name) / f"{self.service}.sqlite"
        try:
            if not self.options.readonly:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._take(self._path)
                await self._open_writer(self._path, schema, history)
            self._reading = await self._reader()
        except (sqlite3.Error, OSError) as error:
            await self.close()
            raise StorageError(
                f"The database of {self.service} at {self.location} could not be opened ({error}): "
                "check that the folder exists and is writable, and that the file is a SQLite database."
            ) from error
        except StorageError:
            await self.close()
            raise

    def _take(self, path: Path) -> None:
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        if holder := self._lock.acquire():
            raise StorageError(
                f"The database of {self.service} at {path} is in use by process {holder}: "
                "stop that process, or give this one another data folder."
            )

    async def _open_writer(self, path: Path, schema: Sequence[str], history: History) -> None:
        options = self.options
        pragmas = ("journal_mode=WAL", f"synchronous={options.synchronous}", "foreign_keys=ON")
        raw = _connect(f"file:{path}?mode=rwc", options.busy_seconds, *pragmas)
        prepare(raw, schema, history, f"the database of {self.service} at {self.location}")
        self._writing = await Channel.connect(raw)
        self._latest = await Channel.connect(raw, self._writing)
        self._writer = Writer(raw, self.location, options)
        if options.has_threads:
            raw.execute(f"PRAGMA wal_autocheckpoint={PAGES}")
            self._checkpointer = Checkpointer(partial(_connect, f"file:{path}?mode=rw", options.busy_seconds))
            self._writer.on_commit = self._checkpointer.committed
        self._writing.driver.on_failure, self._writing.driver.on_rollback = self._writer.check, self._writer.doom

    async def _reader(self) -> Channel:
        mode = "ro" if self.options.readonly else "rw"
        raw = _connect(f"file:{self._path}?mode={mode}", self.options.busy_seconds, "query_only=ON")
        channel = await Channel.connect(raw, self._writing or self._reading)
        event.listen(channel.engine, "handle_error", self._refuse_write)
        return channel

    def _refuse_write(self, context: ExceptionContext) -> None:
        if "readonly database" in str(context.original_exception):
            raise EffectInQuery(
                f"A query of {self.service} tried to write to its database: queries have no effects. "
                "Make it a @command."
            ) from context.original_exception

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        if self._checkpointer is not None:
            self._checkpointer.close()
        for channel in (*self._spare, self._reading, self._latest, self._writing):
            if channel is not None:
                channel.close()
        self._spare.clear()
        self._listeners.clear()
        self._checkpointer = self._writer = self._reading = self._latest = self._writing = None
        if self._lock is not None:
            self._lock.release()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = self._path = None

    # -- work ----------------------------------------------------------------------------------------------------

    @property
    def writer(self) -> Writer:
        """The turns and batches. Raises: StorageError where the storage is closed or open for reading only."""
        if self._writer is None:
            state = "open for reading only" if self._reading is not None else "not open"
            raise StorageError(f"The database of {self.service} at {self.location} is {state}.")
        return self._writer

    @property
    def reader(self) -> Channel:
        """The connection for single statements that read. Raises: StorageError where the storage is closed."""
        if self._reading is None:
            raise StorageError(f"The database of {self.service} at {self.location} is not open.")
        return self._reading

    def unit(self, *, eager: bool = False, whole: bool = False) -> Unit:
        writer = self.writer
        assert self._writing is not None
        assert self._latest is not None
        return SqliteUnit(Channels(writer, self._writing, self._latest, self.reader), eager=eager or whole)

    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self.reader.connection.execute(statement, parameters)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Channel]:
        channel = self._spare.pop() if self._spare else await self._reader()
        channel.raw.execute("BEGIN")
        try:
            yield channel
        finally:
            channel.restart()
            channel.raw.rollback()
            if self._reading is not None and len(self._spare) < 4:
                self._spare.append(channel)
            else:
                channel.close()

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
        writer = self.writer
        channel = await Channel.connect(_connect(f"file:{self._path}?mode=rw", self.options.busy_seconds))
        await writer.hold()
        try:
            channel.raw.execute("PRAGMA foreign_keys=OFF")
            channel.raw.execute("BEGIN IMMEDIATE")
            yield channel.facade
            self._check_foreign_keys(channel)
            channel.raw.execute("COMMIT")
        except sqlite3.Error as error:
            raise failure(error, self.location) from error
        finally:
            channel.raw.rollback()
            channel.close()
            writer.resume()

    def _check_foreign_keys(self, channel: Channel) -> None:
        if broken := channel.raw.execute("PRAGMA foreign_key_check").fetchone():
            raise StorageError(
                f"A row of {broken[0]} in {self.location} would refer to a row of {broken[2]} that is not there; "
                "nothing was changed. Correct the migration, or the row."
            )

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        try:
            return self.reader.raw.execute(sql, parameters).fetchall()
        except FAILURES as error:
            raise failure(error, self.location) from error

    def write_later(self, *writes: Write) -> None:
        self.writer.rows.write_later(writes)

    async def write(self, *writes: Write) -> tuple[int, ...]:
        return await self.writer.rows.write(writes)

    # -- waking those who wait for rows --------------------------------------------------------------------------

    def notify(self, channel: str) -> None:
        if channel not in self._notified and channel in self._listeners:
            self._notified.add(channel)
            asyncio.get_running_loop().call_soon(self._wake, channel)

    def _wake(self, channel: str) -> None:
        self._notified.discard(channel)
        for wake in self._listeners.get(channel, ()):
            wake()

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        self._listeners.setdefault(channel, []).append(wake)


def _connect(uri: str, busy_seconds: float, *pragmas: str) -> sqlite3.Connection:
    raw = sqlite3.connect(
        uri, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        for pragma in pragmas:
            raw.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        raw.close()
        raise
    return raw


def _memory_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - temporary databases live in memory
