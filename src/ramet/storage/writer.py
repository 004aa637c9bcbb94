"""The turns on SQLite's one writer, and the group commit.

Units of work take turns: each runs inside a savepoint of one open transaction, and the transaction is committed, with one
sync to disk, when nobody else wants a turn at the end of the loop's tick, or when enough has gathered. What a unit has
written is durable when `settled` returns, and no answer leaves before that.

A commit is made on the loop while it is quick, and in a thread where the disk is slow.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ramet.clock import SystemClock
from ramet.errors import DuplicateRow, StorageError
from ramet.storage.base import Write

_now = SystemClock().monotonic  # what a commit costs is real, also where the application's time is not

QUICK_COMMIT_SECONDS = 0.0003
"""A commit that takes longer than this, on average, is made in a thread."""


class Batch:
    """What one COMMIT makes durable."""

    __slots__ = ("count", "error", "finished", "notify", "opened", "waiters")

    def __init__(self, opened: float) -> None:
        self.opened = opened
        self.count = 0
        self.finished = False
        self.error: StorageError | None = None
        self.notify: list[Callable[[], None]] = []
        self.waiters: list[asyncio.Future[None]] = []

    def finish(self, error: StorageError | None) -> None:
        self.finished, self.error = True, error
        if error is None:
            for notify in self.notify:
                notify()
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def settled(self) -> None:
        """Return when the batch is durable. A cancellation that arrives meanwhile is raised afterwards."""
        cancelled: asyncio.CancelledError | None = None
        while not self.finished:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError as error:
                cancelled = error
        if self.error is not None:
            raise type(self.error)(*self.error.args) from self.error.__cause__
        if cancelled is not None:
            raise cancelled


class Request:
    """Rows of Ramet's own, waiting to be written in the next batch."""

    __slots__ = ("batch", "counts", "done", "error", "notify", "writes")

    def __init__(
        self, writes: Sequence[Write], done: asyncio.Future[None], notify: Callable[[], None] | None = None
    ) -> None:
        self.writes = writes
        self.done = done
        self.notify = notify
        self.counts: tuple[int, ...] = ()
        self.error: StorageError | None = None
        self.batch: Batch | None = None


def failure(error: sqlite3.Error, location: str) -> StorageError:
    """SQLite's error as ours: one sentence with the place and the remedy."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in text:
        return DuplicateRow(f"A row is there already in {location}: {text}.")
    remedy = {
        "database or disk is full": "make room on that disk",
        "database is locked": "another program writes to it: close that program",
        "attempt to write a readonly database": "make the file and its folder writable",
        "disk I/O error": "check that disk",
    }.get(text, "the transaction was rolled back")
    return StorageError(f"SQLite failed on {location} ({text}): {remedy}.")


class Writer:
    """The one connection that writes: `turn`, then statements, then `release` or `undo`; `settled` waits for the disk.

    `version` counts the turns that have changed something, `durable_version` those of them that are committed.
    """

    def __init__(
        self, raw: sqlite3.Connection, location: str, *, limit: int, limit_seconds: float, threads: bool
    ) -> None:
        self.raw = raw
        self.location = location
        self.limit, self.limit_seconds, self.threads = limit, limit_seconds, threads
        self.loop = asyncio.get_running_loop()
        self.version = self.durable_version = 0
        self.active: object | None = None
        self.committing = False
        self.batch: Batch | None = None
        self.commit_seconds = 0.0
        self.commits = 0
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()
        self._requests: list[Request] = []
        self._flush_due = False
        self._executor: ThreadPoolExecutor | None = None

    @property
    def idle(self) -> bool:
        """Nobody has the turn and the connection is free for reading."""
        return self.active is None and not self.committing

    # -- turns ---------------------------------------------------------------------------------------------------

    async def turn(self, holder: object) -> None:
        """Wait for the turn, and begin: a savepoint in the batch's transaction."""
        if self.active is None and not self.committing and not self._waiting:
            self.active = holder
        else:
            granted: asyncio.Future[None] = self.loop.create_future()
            self._waiting.append((holder, granted))
            try:
                await granted
            except asyncio.CancelledError:
                if self.active is holder:
                    self._pass_on()
                raise
        try:
            self._open_batch()
            self.raw.execute("SAVEPOINT unit")
        except sqlite3.Error as error:
            self._pass_on()
            raise failure(error, self.location) from error

    def release(self, *, changed: bool) -> Batch:
        """End the turn, keeping what was done; the batch says when it is durable."""
        try:
            self.raw.execute("RELEASE unit")
        except sqlite3.Error as error:
            problem = failure(error, self.location)
            self.check()
            self.undo()
            raise problem from error
        batch = self._member()
        self.version += changed
        self._pass_on()
        return batch

    def undo(self) -> None:
        """End the turn, keeping nothing."""
        self.reset(release=True)
        self._pass_on()

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
            self._finish(self.batch, StorageError(lost))
        return False

    # -- Ramet's own rows ----------------------------------------------------------------------------------------

    async def write(self, writes: Sequence[Write], notify: Callable[[], None] | None = None) -> tuple[int, ...]:
        """Write these rows in the next batch, all or none, and wait until they are durable; `notify` is called then."""
        request = Request(writes, self.loop.create_future(), notify)
        self._requests.append(request)
        self._flush_soon()
        try:
            await request.done
        except asyncio.CancelledError:
            if request in self._requests:
                self._requests.remove(request)
            elif request.batch is not None:
                await request.batch.settled()
            raise
        if request.error is not None:
            raise request.error
        if request.batch is not None and request.batch.error is not None:
            await request.batch.settled()
        return request.counts

    def execute(self, writes: Sequence[Write]) -> tuple[int, ...]:
        """Execute now, in the turn or batch that is open; returns the rows written by each."""
        return tuple(self._execute(write) for write in writes)

    def _execute(self, write: Write) -> int:
        sql, rows = write
        if len(rows) == 1:
            return self.raw.execute(sql, rows[0]).rowcount
        return self.raw.executemany(sql, rows).rowcount

    def _perform(self) -> None:
        requests, self._requests = [request for request in self._requests if not request.done.done()], []
        if not requests:
            return
        try:
            self._open_batch()
            if not self._attempt(requests):
                for request in requests:
                    self._attempt([request], last=True)
        except sqlite3.Error as error:
            problem = failure(error, self.location)
            self.check()
            for request in requests:
                self._answer(request, problem)

    def _attempt(self, requests: Sequence[Request], *, last: bool = False) -> bool:
        """All of them in one savepoint; whether that went well. With `last` the failure is the request's answer."""
        self.raw.execute("SAVEPOINT rows")
        try:
            for request in requests:
                request.counts = self.execute(request.writes)
        except sqlite3.Error as error:
            if self.raw.in_transaction:
                self.raw.execute("ROLLBACK TO rows")
                self.raw.execute("RELEASE rows")
            else:
                raise
            if last:
                self._answer(requests[0], failure(error, self.location))
            return False
        self.raw.execute("RELEASE rows")
        batch = self._member()
        for request in requests:
            request.batch = batch
            batch.waiters.append(request.done)
            if request.notify is not None:
                batch.notify.append(request.notify)
        return True

    @staticmethod
    def _answer(request: Request, error: StorageError) -> None:
        request.error = error
        if not request.done.done():
            request.done.set_result(None)

    # -- batches -------------------------------------------------------------------------------------------------

    def _open_batch(self) -> None:
        if self.batch is None:
            self.raw.execute("BEGIN IMMEDIATE")
            self.batch = Batch(_now())

    def _member(self) -> Batch:
        assert self.batch is not None
        self.batch.count += 1
        self._flush_soon()
        return self.batch

    def _pass_on(self) -> None:
        """The turn is over: whose is the next?"""
        self.active = None
        self._next()

    def _next(self) -> None:
        if self.active is not None or self.committing:
            return
        if self._requests and (self._waiting or not self._flush_due):
            self._perform()
        if self._is_full():
            self._commit()
        while self._waiting and not self.committing:
            holder, granted = self._waiting.popleft()
            if not granted.done():
                self.active = holder
                granted.set_result(None)
                return
        if self.batch is not None:
            self._flush_soon()

    def _is_full(self) -> bool:
        batch = self.batch
        if batch is None or batch.count == 0:
            return False
        return batch.count >= self.limit or _now() - batch.opened > self.limit_seconds

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """End of the tick: commit, unless somebody has the turn; then its end comes here again."""
        self._flush_due = False
        if self.active is not None or self.committing:
            return
        if self._requests:
            self._perform()
        if self._waiting:
            self._next()
        elif self.batch is not None:
            self._commit()

    def _commit(self) -> None:
        batch = self.batch
        if batch is None:
            return
        if self.threads and self.commit_seconds > QUICK_COMMIT_SECONDS:
            self.committing = True
            self._executor = self._executor or ThreadPoolExecutor(1, "ramet-commit")
            self._executor.submit(self._commit_in_thread, batch)
        else:
            self._finish(batch, self._timed_commit())

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
        """Commit what has been released, and let go of the thread."""
        while self.active is not None or self._waiting or self._requests or self.batch is not None:
            self._flush_soon()
            await asyncio.sleep(0)
        if self._executor is not None:
            self._executor.shutdown()
