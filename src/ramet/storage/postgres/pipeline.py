"""Several statements in one round trip, and the next one before the answer to the last: what asyncpg cannot do.

PostgreSQL executes messages in their order. After an error it skips what follows, up to the next end of a round trip.
Two things come of that: statements that are put `ahead` of one that asyncpg executes, and a `Sent` of one's own, whose
answer is taken out of what arrives before asyncpg sees it. So a COMMIT can be on its way while the connection begins
the next transaction, and where somebody waits for the connection both leave in one piece: each piece wakes the server.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterable
from itertools import count
from struct import Struct
from typing import Any, TypeVar

import asyncpg

from ramet.storage.base import Row
from ramet.storage.postgres.failures import is_bare
from ramet.storage.postgres.messages import SYNC, error_fields, execution, parse

T = TypeVar("T")
_INT_AT = Struct("!I").unpack_from
_LENGTH_AT = Struct("!xI").unpack_from
_ANSWER, _ERROR, _ROW, _READY, _STATUS, _NEWS = ord("C"), ord("E"), ord("D"), ord("Z"), ord("S"), ord("A")
_NOTICE, _IDLE = ord("N"), ord("I")


class Sent:
    """What was sent, and came back of it: `tags` are the numbers that its statements give back, all int4.

    `statuses` are what PostgreSQL says at the end of each statement that it has executed.
    """

    __slots__ = ("done", "error", "is_idle", "names", "statuses", "tags")

    def __init__(self, done: asyncio.Future[None], names: list[str]) -> None:
        self.done = done
        self.names = names
        self.tags: list[int] = []
        self.error: Exception | None = None
        self.statuses: list[bytes] = []
        self.is_idle = True
        """The connection is in no transaction after it."""

    @property
    def status(self) -> bytes:
        """That of the last statement."""
        return self.statuses[-1] if self.statuses else b""

    async def answer(self) -> list[int]:
        """The tags, once all of it is executed. Raises: the server's error; OSError where the connection was lost."""
        await self.done
        if self.error is not None:
            raise self.error
        return self.tags


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Cancels what it executes once what was sent before that has ended: the server cancels whatever it is at."""

    __slots__ = ("pipeline",)
    pipeline: Pipeline

    async def _cancel(self, *waiters: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # one or two
        if (pipeline := getattr(self, "pipeline", None)) is not None:
            await pipeline.ended()
        await super()._cancel(*waiters)


class Pipeline(asyncio.Protocol):
    """Stands between a connection of asyncpg and its transport."""

    def __init__(self, raw: Any, answer_seconds: float) -> None:
        self.answer_seconds = answer_seconds
        self._raw = raw
        self._transport = raw._transport  # noqa: SLF001 - asyncpg has no public way to them
        self._inner = raw._protocol  # noqa: SLF001 - as above
        self._loop = asyncio.get_running_loop()
        self._names: dict[str, tuple[bytes, bytes]] = {}
        self._new: list[str] = []
        self._ahead: list[bytes] = []
        self._soon: list[bytes] = []
        self._numbers = count()
        self._sent: deque[Sent] = deque()
        self._due = 0  # bytes of a message whose beginning was passed on
        self._rest = b""
        self._watch: asyncio.TimerHandle | None = None
        self.is_spoiled = False
        """The last `Sent` has left a transaction behind: where that was a COMMIT, only a ROLLBACK ends it."""
        self.is_bare = False
        self._transport.set_protocol(self)
        raw.pipeline = self

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._ahead

    def put(self, sql: str, row: Row = ()) -> None:
        """Execute this statement ahead of the next operation, or of `send`, whose error is also its own."""
        prepared = self._names.get(sql)
        if prepared is None:
            name = b"ramet%d" % next(self._numbers)
            prepared = self._names[sql] = name, execution(name, ())
            self._new.append(sql)
            self._ahead.append(parse(name, sql))
        self._ahead.append(execution(prepared[0], row) if row else prepared[1])

    def put_prepared(self, name: bytes, row: Row) -> None:
        """The same for a statement that asyncpg has prepared under this name. Raises: TypeError; UnicodeError."""
        self._ahead.append(execution(name, row))

    def drop(self) -> None:
        """Send nothing of what waits."""
        self._ahead.clear()
        self._forget(self._new)
        self._new = []

    def send(self, *, soon: bool = False) -> Sent:
        """Send what was put, as a round trip of its own. Nothing of asyncpg's may be under way.

        `soon`: in one piece with what whoever is given the connection now puts ahead, or else by itself.
        """
        sent = Sent(self._loop.create_future(), self._new)
        ahead, self._ahead, self._new = self._ahead, [], []
        self.is_spoiled = False
        if self._raw.is_closed():
            self._end(sent, asyncpg.InterfaceError("the connection is closed"))  # nothing was sent
        else:
            self._sent.append(sent)
            if self._watch is None:
                self._watch = self._loop.call_later(self.answer_seconds, self._look, sent)
            if soon:
                self._soon += (*ahead, SYNC)
                self._loop.call_soon(self._loop.call_soon, self._flush)  # those who are given it run first
            else:
                self._write((*ahead, SYNC))
        return sent

    def _flush(self) -> None:
        if self._soon and not self._raw.is_closed():
            self._write(())

    def _write(self, pieces: Iterable[bytes]) -> None:
        """What waits to be sent soon, and these after it."""
        soon, self._soon = self._soon, []
        self._transport.write(b"".join((*soon, *pieces)))

    def _look(self, watched: Sent) -> None:
        """Whoever was the first to be answered must not be any more; one timer looks after all that follow."""
        self._watch = None
        if self._sent and self._sent[0] is watched:
            watched.error = watched.error or ConnectionError(f"no answer within {self.answer_seconds:g} s")
            self._raw.terminate()
        elif self._sent:
            self._watch = self._loop.call_later(self.answer_seconds, self._look, self._sent[0])

    async def ended(self) -> None:
        """Wait for the answers to what was sent."""
        if self._sent:
            await asyncio.wait((self._sent[-1].done,))

    async def carry(self, operation: Awaitable[T]) -> T:
        """Await an operation of asyncpg with what was put ahead of it, none of which gives rows back.

        Not for the simple protocol: it would be skipped after an error, and never be answered.
        """
        if not self._ahead:
            self._flush()
            try:
                return await operation
            except Exception as error:
                self._failed(error, ())
                raise
        new = self._new
        self._write(self._ahead)
        self._ahead, self._new = [], []
        try:
            return await operation
        except BaseException as error:
            self._failed(error, new)
            if isinstance(error, Exception) and getattr(error, "severity", None) is None:
                await self.send().done  # asyncpg did not get as far as to end the round trip
            raise

    def _failed(self, error: BaseException, new: Iterable[str]) -> None:
        self.is_bare |= is_bare(error)
        self._forget(self._names if self.is_bare else new)

    def _forget(self, names: Iterable[str]) -> None:
        """Nobody knows whether these statements have been prepared."""
        for sql in tuple(names):
            self._names.pop(sql, None)

    # -- what arrives --------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take the answers to what was sent, and pass on what comes before and after them.

        It is always known where messages begin: what is sent may meet one that has arrived in part.
        """
        data = self._rest + data if self._rest else data
        at, self._due = self._due, max(self._due - len(data), 0)
        if self._sent and not self._due:
            if at:
                self._inner.data_received(data[:at])
            data, at = data[self._taken(data, at) :], 0
        if not self._sent or self._due:
            end, length = len(data), _LENGTH_AT
            while at < end - 4:
                at += 1 + length(data, at)[0]
            self._due, whole, data = max(at - end, 0), data[:at], data[at:]
            if whole:
                self._inner.data_received(whole)
        self._rest = data

    def _taken(self, data: bytes, at: int) -> int:
        """How far the answers go that are there whole."""
        end = len(data)
        while self._sent and end - at >= 5:
            after = at + 1 + _INT_AT(data, at + 1)[0]
            if after > end:
                break
            self._heard(self._sent[0], data, at, after)
            at = after
        return at

    def _heard(self, sent: Sent, data: bytes, at: int, after: int) -> None:
        kind = data[at]
        if kind == _READY:
            self._sent.popleft()
            sent.is_idle = data[at + 5] == _IDLE
            self._end(sent, sent.error)
        elif kind == _ROW:
            sent.tags.append(_INT_AT(data, at + 11)[0])  # after type, length, the number of columns and its length
        elif kind == _ANSWER:
            sent.statuses.append(data[at + 5 : after - 1])
        elif kind == _ERROR:
            sent.error = asyncpg.PostgresError.new(error_fields(data[at + 5 : after]))
        elif kind in (_STATUS, _NEWS, _NOTICE):
            self._inner.data_received(data[at:after])

    def _end(self, sent: Sent, error: Exception | None) -> None:
        sent.error = error
        self.is_spoiled = not sent.is_idle
        if error is not None:
            self._failed(error, sent.names)
        if not sent.done.done():
            sent.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """What was sent has no answer."""
        sent, self._sent, self._soon, self._rest = self._sent, deque(), [], b""
        if self._watch is not None:
            self._watch.cancel()
        for one in sent:
            self._end(one, one.error or exc or ConnectionError("the connection was lost"))
        self._inner.connection_lost(exc)

    def eof_received(self) -> Any:
        """As asyncpg wants it."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """As asyncpg wants it."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """As asyncpg wants it."""
        self._inner.resume_writing()


async def outlast(future: asyncio.Future[None]) -> None:
    """Wait for it, however often this task is cancelled meanwhile; a cancellation is raised afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
