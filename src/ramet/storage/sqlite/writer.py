"""The turns on SQLite's one writer, and the group commit.

Units of work take turns: each runs inside a savepoint of one open transaction, and the transaction is committed, with
one sync to disk, when nobody else wants a turn at the end of the loop's tick, or when enough has gathered. What a unit
has written is durable when its batch is settled, and no answer leaves before that.

A commit is made on the loop while it is quick, and in a thread where the disk is slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ramet.clock import SystemClock
from ramet.errors import StorageError, StorageUnavailable, UsageError
from ramet.storage.base import Write
from ramet.storage.sqlite.batch import Batch, Turn, failure
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.rows import Rows
from ramet.telemetry.scope import current_scope

_now = SystemClock().monotonic  # what a commit costs is real, also where the application's time is not

_DEFERRED = "SELECT 1 FROM sqlite_master WHERE sql LIKE '%INITIALLY DEFERRED%'"
"""Where foreign keys are checked at the commit, a unit would fail its whole batch: each is committed alone."""


class Writer:
    """The one connection that writes: `turn`, then statements, then `release` or `undo`; `settled` waits for the disk.

    `version` counts the turns that have changed something, `durable_version` those of them that are committed.
    """

    def __init__(self, raw: sqlite3.Connection, location: str, options: SqliteOptions) -> None:
        self.raw = raw
        self.location = location
        self.options = options
        self.loop = asyncio.get_running_loop()
        self.version = self.durable_version = 0
        self.active: Turn | None = None
        self.committing = self.closing = False
        self.batch: Batch | None = None
        self.commit_seconds = 0.0
        self.commits = 0
        self._waiting: deque[tuple[Turn, asyncio.Future[None]]] = deque()
        self.rows = Rows(self, options.later_seconds)
        self._flush_due = False
        self._schema: int | None = None
        self._alone = False
        self.on_commit: Callable[[], None] | None = None
        self._executor: ThreadPoolExecutor | None = None

    @property
    def idle(self) -> bool:
        """Nobody has the turn and the connection is free for reading."""
        return self.active is None and not self.committing

    # -- turns ---------------------------------------------------------------------------------------------------

    async def turn(self) -> Turn:
        """Wait for the turn, and begin: a savepoint in the batch's transaction."""
        self.refuse_closed()
        turn = Turn()
        if self.active is None and not self.committing and not self._waiting:
            self.active = turn
        else:
            await self._wait(turn)
        try:
            self.open_batch()
            self.raw.execute("SAVEPOINT unit")
        except sqlite3.Error as error:
            self._pass_on()
            raise failure(error, self.location) from error
        return turn

    async def _wait(self, turn: Turn) -> None:
        self.refuse_deadlock()
        granted: asyncio.Future[None] = self.loop.create_future()
        self._waiting.append((turn, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if self.active is turn:
                self._pass_on()
            raise
        if turn.problem is not None:
            raise StorageError(turn.problem)

    def refuse_closed(self) -> None:
        if self.closing:
            raise StorageError(f"The database at {self.location} is closed: finish the work before it is.")

    def refuse_deadlock(self) -> None:
        """Whoever has the turn must not wait for it."""
        scope = current_scope.get()
        if self.active is not None and scope is not None and self.active.scope is scope:
            raise UsageError(
                f"{scope.service}.{scope.name} waited for a transaction of its own database while it had one open: "
                "use the unit of work that is open."
            )

    def release(self, notify: Callable[[], None], *, changed: bool) -> Batch:
        """End the turn, keeping what was done; the batch says when it is durable, and calls `notify` then."""
        try:
            self.raw.execute("RELEASE unit")
        except sqlite3.Error as error:
            problem = failure(error, self.location)
            self.check()
            self.undo()
            raise problem from error
        batch = self.member()
        batch.notify.append(notify)
        self.version += changed
        self._pass_on()
        return batch

    def undo(self) -> None:
        """End the turn, keeping nothing."""
        self.reset(release=True)
        self._pass_on()

    def abandon(self, turn: Turn) -> None:
        """End a turn that nobody has ended."""
        if self.active is turn:
            self.undo()

    def doom(self) -> None:
        """SQLAlchemy rolled back, after a flush that failed: so does the turn, which can then only end."""
        if self.active is not None:
            self.active.problem = "a flush failed; put what may fail in `async with session.begin_nested()`"
            self.reset()

    def reset(self, *, release: bool = False) -> None:
        """Undo what the turn has done so far, and stay in it."""
        if self.check():
            self.raw.execute("ROLLBACK TO unit")
            if release:
                self.raw.execute("RELEASE unit")

    def check(self) -> bool:
        """Whether the transaction is still there: SQLite itself rolls back when the disk is full or fails."""
        if self.raw.in_transaction:
            return True
        if self.batch is not None:
            lost = f"SQLite rolled the transaction back on {self.location}: check that disk and its free space."
            if self.active is not None:
                self.active.problem = "SQLite gave it up, as it does when the disk is full or fails"
            self._finish(self.batch, StorageUnavailable(lost))
        return False

    # -- statements of Ramet -------------------------------------------------------------------------------------

    def execute(self, writes: Sequence[Write]) -> tuple[int, ...]:
        """Execute now, in the turn or batch that is open; returns the rows written by each."""
        return tuple(self._execute(write) for write in writes)

    def _execute(self, write: Write) -> int:
        sql, rows = write
        if len(rows) == 1:
            return self.raw.execute(sql, rows[0]).rowcount
        return self.raw.executemany(sql, rows).rowcount

    def settled(self) -> Awaitable[None]:
        """When everything that is released by now is durable."""
        return self.batch.settled() if self.batch is not None else asyncio.sleep(0)

    async def still(self) -> None:
        """Wait for the end of the commit under way, whatever becomes of it."""
        while self.committing and self.batch is not None:
            with contextlib.suppress(StorageError):
                await self.batch.settled()

    async def hold(self) -> None:
        """Wait until nothing is open, and let nothing begin before `resume`."""
        self.refuse_closed()
        self.refuse_deadlock()
        while self.batch is not None or not self.idle:
            await self.settled()
        self.committing = True

    def resume(self) -> None:
        """Let the waiting begin."""
        self.committing = False
        self._flush()

    # -- batches -------------------------------------------------------------------------------------------------

    def open_batch(self) -> None:
        if self.batch is None:
            self.raw.execute("BEGIN IMMEDIATE")
            self.batch = Batch(_now())
            ((schema,),) = self.raw.execute("PRAGMA schema_version")
            if schema != self._schema:
                self._schema = schema
                self._alone = self.raw.execute(_DEFERRED).fetchone() is not None

    def member(self) -> Batch:
        assert self.batch is not None
        self.batch.count += 1
        self.flush_soon()
        return self.batch

    def _pass_on(self) -> None:
        """The turn is over: whose is the next?"""
        self.active = None
        self._next()

    def _next(self) -> None:
        if self.active is not None or self.committing:
            return
        if self.rows.waiting and (self._waiting or not self._flush_due):
            self.rows.perform()
        if self._is_full():
            self._commit()
        while self._waiting and not self.committing:
            turn, granted = self._waiting.popleft()
            if not granted.done():
                self.active = turn
                granted.set_result(None)
                return
        if self.batch is not None:
            self.flush_soon()

    def _is_full(self) -> bool:
        batch = self.batch
        if batch is None or batch.count == 0:
            return False
        return (
            self._alone or batch.count >= self.options.batch_units or _now() - batch.opened > self.options.batch_seconds
        )

    def flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """End of the tick: commit, unless somebody has the turn; then its end comes here again."""
        self._flush_due = False
        if self.active is not None or self.committing:
            return
        if self.rows.waiting:
            self.rows.perform()
        if self._waiting:
            self._next()
        elif self.batch is not None:
            self._commit()

    def _commit(self) -> None:
        self.rows.hurry()
        if self.rows.waiting:
            self.rows.perform()
        batch = self.batch
        if batch is None:
            return
        is_quick = self.commit_seconds < self.options.quick_commit_seconds
        self.committing = not is_quick and self._has_thread_for(batch)
        if not self.committing:
            self._finish(batch, self._timed_commit())

    def _has_thread_for(self, batch: Batch) -> bool:
        """Whether a thread makes the commit: there may be none to be had."""
        self._executor = self._executor or ThreadPoolExecutor(1, "ramet-commit")
        try:
            self._executor.submit(self._commit_in_thread, batch)
        except RuntimeError:
            self._executor = None  # it would do so as soon as it has one
        return self._executor is not None

    def _commit_in_thread(self, batch: Batch) -> None:
        error = self._timed_commit()
        self.loop.call_soon_threadsafe(self._commit_ended, batch, error)

    def _commit_ended(self, batch: Batch, error: StorageError | None) -> None:
        self.committing = False
        self._finish(batch, error)
        self._flush()

    def _timed_commit(self) -> StorageError | None:
        started = _now()
        try:
            self.raw.execute("COMMIT")
        except sqlite3.Error as error:
            problem = failure(error, self.location)
            problem.__cause__ = error
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK")
            return problem
        finally:
            self.commit_seconds += (_now() - started - self.commit_seconds) * 0.1
            self.commits += 1
        if self.on_commit is not None:
            self.on_commit()
        return None

    def _finish(self, batch: Batch, error: StorageError | None) -> None:
        if self.batch is batch:
            self.batch = None
        if error is None:
            self.durable_version = self.version
        else:
            self.version += 1
            self.durable_version = self.version
        batch.finish(error)

    async def close(self) -> None:
        """Roll back who has the turn, refuse who waits for it, commit what has been released."""
        self.closing = True
        closed = f"The database at {self.location} was closed."
        for turn, granted in self._waiting:
            turn.problem = closed
            if not granted.done():
                granted.set_result(None)
        self._waiting.clear()
        if self.active is not None:
            self.active.problem = closed
            self.undo()
        self.rows.hurry()
        while self.rows.waiting or self.batch is not None:
            self.flush_soon()
            await asyncio.sleep(0)
        if self._executor is not None:
            self._executor.shutdown()
