"""Ramet's own rows: those of many callers are written together, in the next batch of the writer."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol

from ramet.errors import StorageError
from ramet.storage.base import Write
from ramet.storage.sqlite.batch import FAILURES, Batch, Request, failure

log = logging.getLogger("ramet.storage")


class Batching(Protocol):
    """What this module needs of the writer."""

    raw: sqlite3.Connection
    location: str
    batch: Batch | None

    def open_batch(self) -> None: ...
    def member(self) -> Batch: ...
    def flush_soon(self) -> None: ...
    def check(self) -> bool: ...
    def refuse_closed(self) -> None: ...
    def refuse_deadlock(self) -> None: ...
    def execute(self, writes: Sequence[Write]) -> tuple[int, ...]: ...


class Rows:
    """The requests that wait for a batch; `perform` writes them, at a moment when nobody has the turn."""

    def __init__(self, writer: Batching, later_seconds: float) -> None:
        self.waiting: list[Request] = []
        self._writer = writer
        self._later_seconds = later_seconds
        self._loop = asyncio.get_running_loop()
        self._later: list[Write] = []
        self._later_due: asyncio.TimerHandle | None = None

    async def write(self, writes: Sequence[Write], notify: Callable[[], None] | None = None) -> tuple[int, ...]:
        """Write these rows in the next batch, all or none, and wait until they are durable; `notify` is called then."""
        self._writer.refuse_closed()
        self._writer.refuse_deadlock()
        request = Request(writes, self._loop.create_future(), notify)
        self.waiting.append(request)
        self._writer.flush_soon()
        try:
            await request.done
        except asyncio.CancelledError:
            if request in self.waiting:
                self.waiting.remove(request)
            elif request.batch is not None:
                await request.batch.settled()
            raise
        if request.batch is not None and request.batch.error is not None:
            await request.batch.settled()
        if request.error is not None:
            raise request.error
        return request.counts

    def write_later(self, writes: Sequence[Write]) -> None:
        """Write these rows with the next commit; if there is none soon, with one of their own."""
        self._writer.refuse_closed()
        self._later += writes
        if self._later_due is None:
            self._later_due = self._loop.call_later(self._later_seconds, self._flush_later)

    def _flush_later(self) -> None:
        self.hurry()
        self._writer.flush_soon()

    def hurry(self) -> None:
        """Put what was written for later among the requests."""
        if self._later_due is not None:
            self._later_due.cancel()
            self._later_due = None
        if self._later:
            request = Request(self._later, self._loop.create_future())
            request.done.add_done_callback(lambda _: _log(request))
            self.waiting.append(request)
            self._later = []

    def perform(self) -> None:
        """Write what waits: all together, and where one fails each by itself."""
        requests, self.waiting = [request for request in self.waiting if not request.done.done()], []
        if not requests:
            return
        try:
            self._writer.open_batch()
            if not self._attempt(requests):
                for request in requests:
                    self._attempt([request], last=True)
        except FAILURES as error:
            problem = failure(error, self._writer.location)
            self._writer.check()
            for request in requests:
                self._answer(request, problem)

    def _attempt(self, requests: Sequence[Request], *, last: bool = False) -> bool:
        """All of them in one savepoint; whether that went well. With `last` the failure is the request's answer."""
        self._writer.raw.execute("SAVEPOINT rows")
        try:
            for request in requests:
                request.counts = self._writer.execute(request.writes)
        except FAILURES as error:
            if self._writer.raw.in_transaction:
                self._writer.raw.execute("ROLLBACK TO rows")
                self._writer.raw.execute("RELEASE rows")
            else:
                raise
            if last:
                requests[0].error = failure(error, self._writer.location)
                self._join(requests[0])
            return False
        self._writer.raw.execute("RELEASE rows")
        self._writer.member()
        for request in requests:
            if request.notify is not None and self._writer.batch is not None:
                self._writer.batch.notify.append(request.notify)
            self._join(request)
        return True

    def _join(self, request: Request) -> None:
        """Answer it when the batch is durable; a duplicate too, because the other row may be in the same batch."""
        request.batch = self._writer.batch
        if self._writer.batch is not None:
            self._writer.batch.waiters.append(request.done)

    @staticmethod
    def _answer(request: Request, error: StorageError) -> None:
        request.error = error
        if not request.done.done():
            request.done.set_result(None)


def _log(request: Request) -> None:
    if request.error is not None:
        log.error("Rows written for later were not written: %s", request.error)
