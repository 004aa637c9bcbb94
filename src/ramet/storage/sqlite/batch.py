"""What is made durable together: the members of one COMMIT, and who waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence

from ramet.errors import DuplicateRow, StorageError, StorageUnavailable
from ramet.storage.base import Write
from ramet.telemetry.scope import current_scope


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


class Turn:
    """The right to use the writer's connection; `problem` says why it was lost before its end."""

    __slots__ = ("problem", "scope")

    def __init__(self) -> None:
        self.problem: str | None = None
        self.scope = current_scope.get()


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


FULL = "database or disk is full"
"""Then nothing was written, so the work may be repeated when there is room."""
FAILURES = (sqlite3.Error, UnicodeError, OverflowError)
"""What executing a statement may raise; not of SQLite itself: half a character, a number of more than 64 bits."""


def failure(error: Exception, location: str) -> StorageError:
    """SQLite's error as ours: one sentence with the place and the remedy."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in text:
        return DuplicateRow(f"A row is there already in {location}: {text}.")
    remedy = {
        FULL: "make room on that disk",
        "database is locked": "another program writes to it: close that program",
        "attempt to write a readonly database": "make the file and its folder writable",
        "disk I/O error": "check that disk",
    }.get(text, "the transaction was rolled back")
    kind = StorageUnavailable if text == FULL else StorageError
    return kind(f"SQLite failed on {location} ({text}): {remedy}.")
