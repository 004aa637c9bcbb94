"""One unit of work on SQLite: reads beside the writer until the first write, then a turn on it."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from ramet.errors import DuplicateRow, OutsideWork, StorageError
from ramet.storage.base import USED_TOO_LATE, Conflict, Row
from ramet.storage.sqlite.batch import FAILURES, Batch, Turn, failure
from ramet.storage.sqlite.channel import Channel, Channels
from ramet.storage.unit import MIXED, SEVERAL, EngineUnit


class SqliteUnit(EngineUnit):
    """Takes the turn at its first write, or at its first use when it is eager, and keeps it until its end."""

    def __init__(self, channels: Channels, *, eager: bool) -> None:
        super().__init__()
        self._writer, self._writing, self._latest, self._committed = channels
        self._eager = eager
        self._turn: Turn | None = None
        self._opening: asyncio.Future[None] | None = None
        self._stilling = False
        self._seen: Batch | None = None
        self._mark: int | None = None
        self._changes = 0
        self._wrote = False

    @property
    def busy(self) -> bool:
        return self._opening is not None or self._stilling

    # -- statements ----------------------------------------------------------------------------------------------

    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        self.operations += 1
        if self._eager:
            await self._begin()
        return (await self._reading()).connection.execute(statement, parameters)

    async def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        self.operations += 1
        await self._begin()
        self._wrote = True
        self._savepoints.wrote()
        return self._writing.connection.execute(statement, parameters)

    async def connection(self) -> AsyncConnection:
        self.operations += SEVERAL
        await self._begin()
        self._wrote = True
        self._savepoints.wrote()
        return self._writing.facade

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        self.operations += 1
        await self._begin()
        return self._raw(sql, parameters).fetchall()

    async def execute(self, sql: str, *parameters: Any) -> int:
        self.operations += 1
        await self._begin()
        self._savepoints.wrote()
        return self._raw(sql, parameters).rowcount

    def _raw(self, sql: str, parameters: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            return self._writing.raw.execute(sql, parameters)
        except FAILURES as error:
            self._writer.check()
            raise failure(error, self._writer.location) from error

    async def _route(self, *, writing: bool) -> Connection | Engine:
        if writing or self._eager:
            await self._begin()
            self._wrote = self._wrote or writing
            return self._writing.connection
        channel = await self._reading()
        return channel.connection if channel is self._writing else channel.engine

    # -- the turn ------------------------------------------------------------------------------------------------

    async def _reading(self) -> Channel:
        """Where to read: inside the turn once there is one, else on the newest state that nobody is changing.

        A commit under way is waited for: what is read beside it is out of date at the first write, nearly always.
        """
        self._check()
        if self._turn is None and self._mark is None:
            self._stilling = True
            try:
                await self._writer.still()
            finally:
                self._stilling = False
            self._check()
        if self._turn is not None:
            return self._writing
        writer = self._writer
        if writer.idle:
            self._seen = writer.batch or self._seen
            version, channel = writer.version, self._latest
        else:
            version, channel = writer.durable_version, self._committed
        if self._mark is None:
            self._mark = version
        return channel

    async def _begin(self) -> None:
        self._check()
        while self._turn is None:
            if self._opening is not None:
                await asyncio.shield(self._opening)
                self._check()
                continue
            self._opening = self._writer.loop.create_future()
            try:
                await self._take_turn()
            finally:
                self._opening.set_result(None)
                self._opening = None

    async def _take_turn(self) -> None:
        writer = self._writer
        turn = await writer.turn()
        if self._ended or (self._mark is not None and self._mark != writer.version):
            writer.undo()
            self._check()
            self.conflicted = True
            raise Conflict
        self._turn = turn
        self._changes = self._writing.raw.total_changes

    def _check(self) -> None:
        if self._ended:
            raise OutsideWork(USED_TOO_LATE)
        if self.conflicted:
            raise Conflict
        if self._turn is not None and self._turn.problem is not None:
            raise StorageError(f"The transaction was rolled back: {self._turn.problem}.")
        if self._savepoints.are_mixed:
            raise StorageError(MIXED)

    # -- the end -------------------------------------------------------------------------------------------------

    async def commit(self) -> None:
        try:
            self._check()
            if self._turn is None:
                await self._commit_rows()
            else:
                await self._release().settled()
        except DuplicateRow:
            await self.rollback()
            await self._writer.settled()
            raise
        finally:
            await self.rollback()

    async def _commit_rows(self) -> None:
        """Nothing was begun: the deferred rows join a batch, and what was read becomes durable first."""
        self._leave()
        if self._seen is not None and (self._seen is not self._writer.batch or not self._deferred):
            await self._seen.settled()
        if self._deferred:
            await self._writer.rows.write(self._deferred, self._durable)
        else:
            self._durable()

    def _release(self) -> Batch:
        changed = self._wrote and self._writing.raw.total_changes != self._changes
        try:
            self._writer.execute(self._deferred)
        except FAILURES as error:
            self._writer.check()
            raise failure(error, self._writer.location) from error
        self._leave()
        return self._writer.release(self._durable, changed=changed)

    async def rollback(self) -> None:
        if self._ended:
            return
        turn = self._turn
        self._leave()
        if turn is not None:
            self._writer.abandon(turn)

    def _leave(self) -> None:
        super()._leave()
        if self._turn is not None:
            self._turn = None
            self._writing.restart()

    def __del__(self) -> None:
        if self._turn is not None and not self._writer.loop.is_closed():
            self._writer.loop.call_soon_threadsafe(self._writer.abandon, self._turn)
