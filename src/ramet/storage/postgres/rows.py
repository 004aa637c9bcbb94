"""Ramet's own rows: those of many callers are written together, in one transaction on one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ramet.errors import StorageError, StorageUnavailable
from ramet.storage.base import Row, Write
from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.failures import FAILURES, failure, is_conflict, is_lost
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.pipeline import outlast
from ramet.storage.postgres.pool import Pool
from ramet.storage.postgres.sql import is_insert, merged
from ramet.tasks import Spawn

log = logging.getLogger("ramet.storage")

_ATTEMPTS = 3
Notify = Callable[[StorageError | None], None]
"""Told what rows have come to, also when whoever wrote them has been cancelled meanwhile; None: they are durable."""


class Request:
    """The rows of one caller; `ended` when they are durable, or `error` says why not."""

    __slots__ = ("counts", "ended", "error", "is_over", "notify", "writes")

    def __init__(self, writes: Sequence[Write], ended: asyncio.Future[None], notify: Notify | None) -> None:
        self.writes = writes
        self.ended = ended
        self.notify = notify
        self.counts: tuple[int, ...] = ()
        self.error: StorageError | None = None
        self.is_over = False


class Rows:
    """While one group is being written the next one gathers."""

    def __init__(self, pool: Pool, options: PostgresOptions, location: str, spawn: Spawn) -> None:
        self._pool = pool
        self._options = options
        self._location = location
        self._spawn = spawn
        self.loop = asyncio.get_running_loop()
        self._waiting: list[Request] = []
        self._later: list[Write] = []
        self._later_due: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self.groups = 0

    async def write(self, writes: Sequence[Write], notify: Notify | None = None) -> tuple[int, ...]:
        """Write these rows, all or none, and wait until they are durable."""
        request = self._add(writes, notify)
        try:
            await request.ended
        except asyncio.CancelledError:
            if request in self._waiting:
                self._waiting.remove(request)
            elif not request.is_over:
                request.ended = self.loop.create_future()
                await outlast(request.ended)
            raise
        if request.error is not None:
            raise request.error
        return request.counts

    def _add(self, writes: Sequence[Write], notify: Notify | None) -> Request:
        request = Request(writes, self.loop.create_future(), notify)
        self._waiting.append(request)
        if self._running is None:
            self._running = self._spawn(self._run())
        return request

    def write_later(self, writes: Sequence[Write]) -> None:
        """Write these rows with the next group; if there is none soon, as one of their own."""
        self._later += writes
        if self._later_due is None:
            self._later_due = self.loop.call_later(self._options.later_seconds, self._hurry)

    def _hurry(self) -> None:
        """Put what was written for later among the requests."""
        if self._later_due is not None:
            self._later_due.cancel()
            self._later_due = None
        if self._later:
            later, self._later = self._later, []
            request = self._add(later, None)
            request.ended.add_done_callback(lambda _: _log(request))

    async def close(self) -> None:
        """Write what waits."""
        self._hurry()
        while self._running is not None:
            await asyncio.shield(self._running)

    # -- groups --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._hurry()
                group, rows = [], 0
                while self._waiting and rows < self._options.batch_rows:
                    group.append(self._waiting.pop(0))
                    rows += sum(len(write.rows) for write in group[-1].writes)
                await self._write(group)
        finally:
            self._running = None
            for request in self._waiting:
                _end(request, StorageError(f"The database at {self._location} was closed."))
            self._waiting.clear()

    async def _write(self, group: Sequence[Request]) -> None:
        self.groups += 1
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    await self._attempt(group)
                    break
                except StorageUnavailable:
                    if attempt == _ATTEMPTS:
                        raise
        except StorageError as error:
            for request in group:
                _end(request, type(error)(*error.args))
        else:
            for request in group:
                _end(request, request.error)
        finally:
            for request in group:
                if not request.is_over:
                    _end(request, StorageError(f"The rows for {self._location} were not written."))

    async def _attempt(self, group: Sequence[Request]) -> None:
        """Write the group: together, and where one of it fails each by itself."""
        for request in group:
            request.error = None  # an attempt that has come to nothing found it
        try:
            channel = await self._pool.asked()
        except FAILURES as error:
            raise failure(error, self._location) from error
        try:
            try:
                await self._together(channel, group)
            except FAILURES as error:
                if is_lost(error):
                    raise failure(error, self._location, committing=True) from error
                await self._one_by_one(channel, group, again=is_conflict(error))
        except FAILURES as error:
            raise failure(error, self._location) from error
        finally:
            channel.pipeline.drop()
            self._pool.undo(channel) if channel.pipeline.is_spoiled else self._pool.give(channel)

    @staticmethod
    async def _together(channel: Channel, group: Sequence[Request]) -> None:
        """In one round trip, whose end is the commit; each row that was written says whose it is, if it has to."""
        owners: list[tuple[int, int]] = []
        counts = [[0] * len(request.writes) for request in group]
        for sql, members in merged([[write.sql for write in request.writes] for request in group]):
            if is_insert(sql):
                inserts: list[Row] = []
                for who, at in members:
                    inserts += group[who].writes[at].rows
                    counts[who][at] = len(group[who].writes[at].rows)
                channel.put_inserts(sql, inserts)
                continue
            for who, at in members:
                channel.put(sql, group[who].writes[at].rows, len(owners))
                owners.append((who, at))
        for tag in await channel.pipeline.send().answer():
            who, at = owners[tag]
            counts[who][at] += 1
        for request, count in zip(group, counts, strict=True):
            request.counts = tuple(count)

    async def _one_by_one(self, channel: Channel, group: Sequence[Request], *, again: bool) -> None:
        """All in one transaction, each in a savepoint; one that fails has that as its answer."""
        await channel.command("BEGIN")
        for request in group:
            await channel.command("SAVEPOINT request")
            try:
                request.counts = tuple([await channel.execute(write.sql, write.rows) for write in request.writes])
            except FAILURES as error:
                if is_lost(error):
                    raise
                if again and is_conflict(error):
                    raise StorageUnavailable(str(failure(error, self._location))) from error
                request.error = failure(error, self._location)
                await channel.command("ROLLBACK TO SAVEPOINT request")
            await channel.command("RELEASE SAVEPOINT request")
        try:
            channel.pipeline.put("COMMIT")
            await channel.pipeline.send().answer()
        except FAILURES as error:
            raise failure(error, self._location, committing=True) from error


def _end(request: Request, error: StorageError | None) -> None:
    request.error, request.is_over = error, True
    if request.notify is not None:
        request.notify(error)
    if not request.ended.done():
        request.ended.set_result(None)


class Means(NamedTuple):
    """What the units of one storage work with."""

    pool: Pool
    rows: Rows
    apart: Rows
    location: str


def _log(request: Request) -> None:
    if request.error is not None:
        log.error("Rows written for later were not written: %s", request.error)
