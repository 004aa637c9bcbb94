"""One unit of work on PostgreSQL: a serialisable transaction on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from weakref import WeakMethod

from sqlalchemy import Connection, CursorResult, Engine, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ramet.errors import OutsideWork, StorageError
from ramet.storage.base import USED_TOO_LATE, Conflict, Row
from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.failures import (
    FAILURES,
    failure,
    is_away,
    is_blocked,
    is_conflict,
    is_gone,
    is_inherited,
    is_lost,
)
from ramet.storage.postgres.pipeline import Sent, outlast
from ramet.storage.postgres.putting import CALM, PROMPT, Putting
from ramet.storage.postgres.rows import Means
from ramet.storage.postgres.sql import translated
from ramet.storage.unit import MIXED, SEVERAL, EngineUnit

T = TypeVar("T")

TURN = "CREATE TABLE IF NOT EXISTS ramet_turn ()"
"""Has no rows: units that write hold a lock on it together, and one that runs again holds it alone."""

_SHARED, _ALONE = "LOCK TABLE ramet_turn IN ROW SHARE MODE", "LOCK TABLE ramet_turn IN EXCLUSIVE MODE"
_BEGIN, _BEGIN_WHOLE = ("BEGIN",), ("BEGIN", "SET LOCAL lock_timeout = 100")
"""Milliseconds: two `whole` units that lock the same rows in another order would wait a second to be told so."""
_PREPARED = (*_BEGIN_WHOLE, PROMPT, _SHARED)

_RESTARTS = 100


class PostgresUnit(EngineUnit):
    """Begins its transaction, and takes a connection, with its first statement.

    What fails as the first statement is executed again where another transaction was in the way, and leaves nothing
    behind otherwise; a later one that writes is undone to the savepoint before it, or ends a `whole` unit.
    """

    def __init__(self, means: Means, *, eager: bool, whole: bool = False) -> None:
        super().__init__()
        self._pool, self._rows, _, self._location = means
        self._eager = eager
        self._whole = whole
        self._channel: Channel | None = None
        self._mutex = asyncio.Lock()
        self._locked = False
        self._fresh = True  # nothing was executed in this transaction
        self._put = Putting()
        self._was_prepared = False
        self._saved = False
        self._shared = False  # sessions, or who was given the connection, may have savepoints of their own
        self._problem: StorageError | None = None

    @property
    def busy(self) -> bool:
        channel = self._channel
        return self._mutex.locked() or (channel is not None and channel.is_busy)

    # -- statements ----------------------------------------------------------------------------------------------

    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await self._do(lambda channel: channel.select(statement, parameters), writing=False)

    async def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await self._do(lambda channel: channel.select(statement, parameters), writing=True)

    async def prepare(self) -> None:
        async with self._mutex:
            self._channel = channel = await self._taken((), now=False)
            self._locked = self._was_prepared = True
            for sql in _PREPARED:
                channel.pipeline.put(sql)
            self._listen(channel)

    def put(self, statement: Executable, parameters: Any = None) -> Awaitable[CursorResult[Any]] | None:
        if self._channel is None or self._mutex.locked() or not (self._fresh or self._put):
            return None
        self._check()
        self._savepoints.wrote()
        result = self._put.add(self._channel, statement, parameters)
        self._fresh = self._fresh and result is None
        return result

    def send(self, failed: Callable[[int], object]) -> None:
        if self._put and self._channel is not None:
            self._put.send(self._channel, len(_PREPARED), self._broke, failed)

    def _broke(self, error: Exception) -> None:
        self._told(error)
        self._doom("a statement failed")

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        return await self._do(lambda channel: channel.fetch(sql, parameters), writing=False)

    async def execute(self, sql: str, *parameters: Any) -> int:
        return await self._do(lambda channel: channel.execute(sql, [parameters]), writing=True)

    async def connection(self) -> AsyncConnection:
        self.operations += SEVERAL
        async with self._mutex:
            channel = await self._begin(writing=True, now=True)
            self._fresh, self._shared = False, True
            self._savepoints.wrote()
            return channel.facade

    async def _do(self, work: Callable[[Channel], Awaitable[T]], *, writing: bool) -> T:
        self.operations += 1
        async with self._mutex:
            try:
                if writing:
                    self._savepoints.wrote()
                if self._fresh:
                    return await self._first(work, writing=writing)
                if not writing or self._whole:
                    return await self._plain(work)
                return await (self._beside(work) if self._shared else self._saving(work))
            except asyncio.CancelledError:
                self._doom("a statement of it was cancelled")
                raise

    async def _first(self, work: Callable[[Channel], Awaitable[T]], *, writing: bool) -> T:
        """Nothing hangs on a transaction that has done nothing yet: where it fails another takes its place."""
        broken = 0
        for attempt in range(1, _RESTARTS + 1):
            channel = await self._begin(writing=writing)
            try:
                result = await work(channel)
            except (*FAILURES, DBAPIError, StorageError, Conflict) as error:
                gone = is_gone(error)
                broken += gone and not channel.was_idle
                again = self._is_conflict(error) or is_inherited(error) or (gone and broken < 2)
                again = again and not is_blocked(error)
                await self._start_over()
                if not again or attempt == _RESTARTS:
                    raise self._told(error) from error
            else:
                self._fresh = False
                return result
        raise AssertionError("the last attempt returns or raises")

    async def _start_over(self) -> None:
        channel, self._channel, self._locked, self._saved, self._was_prepared = self._channel, None, False, False, False
        self.conflicted, self._problem = False, None
        if channel is not None and channel.pipeline.is_empty:
            await asyncio.shield(self._pool.undo(channel))
        elif channel is not None:  # not even BEGIN was sent
            channel.pipeline.drop()
            self._pool.give(channel)

    async def _saving(self, work: Callable[[Channel], Awaitable[T]]) -> T:
        """With a savepoint before it, in the same round trip."""
        channel = await self._begin(writing=True)
        if not self._locked:
            channel.pipeline.put(_SHARED)
        if self._saved and not self._shared:
            channel.pipeline.put("RELEASE SAVEPOINT statement")
        channel.pipeline.put("SAVEPOINT statement")
        try:
            result = await work(channel)
        except (*FAILURES, DBAPIError, StorageError, Conflict) as error:
            await self._back(channel, told := self._told(error))
            raise told from error
        self._locked = self._saved = True
        return result

    async def _beside(self, work: Callable[[Channel], Awaitable[T]]) -> T:
        """As `_saving`; the statements of sessions wait until it is kept or undone: it would be undone with them."""
        channel = await self._begin(writing=True)
        async with channel.mutex.kept():
            return await self._saving(work)

    async def _back(self, channel: Channel, told: BaseException) -> None:
        """Undo the statement that failed; one that got nowhere near the server has nothing to undo."""
        if not channel.pipeline.is_empty:
            channel.pipeline.drop()
        elif not self.conflicted and self._problem is None:
            self._locked = self._saved = True
            try:
                await channel.command("ROLLBACK TO SAVEPOINT statement")
            except FAILURES:
                self._doom(f"a statement of it failed ({told})")
                return
        channel.restart()
        self._listen(channel)

    async def _plain(self, work: Callable[[Channel], Awaitable[T]]) -> T:
        channel = await self._begin(writing=False)
        try:
            return await work(channel)
        except (*FAILURES, DBAPIError, StorageError, Conflict) as error:
            told = self._told(error)
            self._doom("a statement failed")
            raise told from error

    # -- failures ------------------------------------------------------------------------------------------------

    def _is_conflict(self, error: BaseException) -> bool:
        return isinstance(error, Conflict) or is_conflict(error) or (self._whole and is_blocked(error))

    def _told(self, error: BaseException) -> BaseException:
        """What to raise instead of an error of the driver, having noted what it means for the transaction."""
        if self._is_conflict(error):
            self.conflicted = True
            return Conflict()
        if isinstance(error, DBAPIError | StorageError):
            return error
        told = failure(error, self._location)
        if is_lost(error):
            self._problem = told
        return told

    def translated(self, error: BaseException) -> BaseException:
        return failure(error, self._location) if isinstance(error, DBAPIError) and is_blocked(error) else error

    def _failed(self, error: BaseException) -> None:
        """Inside SQLAlchemy: note what says that the whole transaction is gone."""
        if isinstance(error, asyncio.CancelledError):
            self._doom("a statement of it was cancelled")
        elif self._is_conflict(error):
            self.conflicted = True
        elif is_away(error):
            self._problem = failure(error, self._location)
            raise self._problem from error

    def _doom(self, why: str) -> None:
        self._problem = self._problem or StorageError(f"The transaction was rolled back: {why}.")

    def _rolled_back(self) -> None:
        """SQLAlchemy rolled back, after a flush that failed: so does the unit, which can then only end."""
        self._doom("a flush failed; put what may fail in `async with session.begin_nested()`")

    # -- sessions ------------------------------------------------------------------------------------------------

    def _session_failed(self, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            self._doom("a session of it was cancelled")
        elif isinstance(error, DBAPIError) and self.conflicted:
            raise Conflict from error

    async def _route(self, *, writing: bool) -> Connection | Engine:
        async with self._mutex:
            channel = await self._begin(writing=writing, now=True)
            if writing and not self._locked:
                await self._lock(channel)
            self._fresh, self._shared = False, True
            return channel.connection

    # -- the transaction -----------------------------------------------------------------------------------------

    async def _begin(self, *, writing: bool, now: bool = False) -> Channel:
        """The connection; its transaction begins with the next statement on it, in the same round trip, or `now`."""
        self._check()
        if self._channel is None:
            lock = _ALONE if self._eager else _SHARED if writing or self._whole else ""
            begin = [*(_BEGIN_WHOLE if self._whole else _BEGIN), *([lock] if lock else [])]
            self._channel = await self._taken(begin, now=now)
            if not now:
                for sql in begin:
                    self._channel.pipeline.put(sql)
            self._locked = bool(lock)
            self._listen(self._channel)
        return self._channel

    async def _taken(self, begin: Sequence[str], *, now: bool) -> Channel:
        try:
            channel = await (self._pool.begun("; ".join(begin)) if now else self._pool.take())
        except FAILURES as error:
            raise failure(error, self._location) from error
        if self._ended:
            self._pool.undo(channel)
            self._check()
        return channel

    def _listen(self, channel: Channel) -> None:
        """Hear of errors and rollbacks; weakly, so that a unit that everybody has forgotten is undone."""
        failed, rolled_back = WeakMethod(self._failed), WeakMethod(self._rolled_back)

        def on_error(error: BaseException) -> None:
            if (hear := failed()) is not None:
                hear(error)

        def on_rollback() -> None:
            if (hear := rolled_back()) is not None:
                hear()

        channel.driver.on_error, channel.driver.on_rollback = on_error, on_rollback

    async def _lock(self, channel: Channel) -> None:
        try:
            await channel.command(_SHARED)
        except FAILURES as error:
            raise self._told(error) from error
        self._locked = True

    def _check(self) -> None:
        if self._ended:
            raise OutsideWork(USED_TOO_LATE)
        if self.conflicted:
            raise Conflict
        if self._problem is not None:
            raise type(self._problem)(*self._problem.args)
        if self._savepoints.are_mixed:
            raise StorageError(MIXED)

    # -- the end -------------------------------------------------------------------------------------------------

    async def commit(self) -> None:
        try:
            self._check()
            if self._channel is None:
                await self._commit_rows()
            else:
                await self._commit(self._channel)
        finally:
            await self.rollback()

    async def _commit_rows(self) -> None:
        """Nothing was begun: the deferred rows join the next group."""
        self._leave()
        if self._deferred:
            await self._rows.write(self._deferred, self._came_to)
        else:
            self._durable()

    async def _commit(self, channel: Channel) -> None:
        """The deferred rows and the commit in one round trip; the connection goes on to who waits for it at once."""
        async with self._mutex:
            async with channel.mutex:  # a statement that nobody waits for any more may be under way
                self._check()
                sent = self._sent(channel)
            try:
                await outlast(sent.done)
            finally:
                self._pool.mend(channel)
                self._came_to(problem := self._outcome(sent))
            if problem is not None:
                raise problem

    def _sent(self, channel: Channel) -> Sent:
        if channel.is_cancelling:
            self._doom("a statement of it was cancelled")
            self._check()
        if self._was_prepared:
            channel.pipeline.put(CALM)
        try:
            for write in self._deferred:
                for row in write.rows:
                    channel.pipeline.put(translated(write.sql), row)
        except FAILURES as error:
            raise failure(error, self._location) from error
        channel.pipeline.put("COMMIT")
        self._leave()
        sent, self._channel = channel.pipeline.send(soon=self._pool.is_wanted), None
        self._pool.give(channel)
        return sent

    def _outcome(self, sent: Sent) -> BaseException | None:
        """What to raise after a commit."""
        if sent.status == b"COMMIT":  # whatever has come after it
            return None
        if sent.error is None:
            return StorageError(f"PostgreSQL at {self._location} rolled the transaction back: a statement failed.")
        if is_conflict(sent.error):
            self.conflicted = True
            return Conflict()
        return failure(sent.error, self._location, committing=True)

    async def rollback(self) -> None:
        if self._ended and self._channel is None:
            return
        self._leave()
        channel, self._channel = self._channel, None
        if channel is not None:
            await outlast(self._pool.undo(channel))

    def __del__(self) -> None:
        channel = self._channel
        if channel is not None and not self._rows.loop.is_closed():
            self._rows.loop.call_soon_threadsafe(self._pool.undo, channel)
