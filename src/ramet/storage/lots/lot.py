"""A lot: commands in one transaction, each with its part of it, whose statements are sent in one piece.

The bodies begin together, each in its own task and as its own work. The order in which they come to their statement is
the order in which they have happened. Who has come to none by the time the piece is sent leaves without harm. Who has,
and then wants to execute another, fails, or is cancelled, takes all back: it would do so after the others' statements.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ramet.errors import CommitUnknown, StorageError
from ramet.storage.base import Conflict, Storage
from ramet.storage.lots.part import Part, Shared
from ramet.storage.lots.watching import ELSEWHERE_SECONDS, Watched, Way
from ramet.storage.work import Body, Record
from ramet.tasks import Spawn
from ramet.telemetry.scope import Apart, Committed, Scope, current_scope

if TYPE_CHECKING:  # SQLAlchemy is imported with the adapter
    from sqlalchemy import CursorResult, Executable

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How long commands may keep each other waiting.

    A lot may take `limit_seconds`, while others' locks and answers wait with each of its commands, and
    `elsewhere_seconds` where one waits for something else than its database. Those who gather wait `gathering_seconds`
    for who is under way, who may wait for a lock, or just be slow.
    """

    limit_seconds: float = 1.0
    elsewhere_seconds: float = ELSEWHERE_SECONDS
    gathering_seconds: float = 0.05


class Undone(Exception):
    """Nothing was committed: whoever was in the lot is to run by itself."""


class Turn:
    """Somebody's turn: in a `lot`, or by itself."""

    __slots__ = ("come", "lot", "way")

    def __init__(self, way: Way, come: asyncio.Future[None]) -> None:
        self.way = way
        self.lot: Lot | None = None
        self.come = come

    @property
    def is_waiting(self) -> bool:
        """Whether somebody waits for it."""
        return not self.come.done()

    def give(self, lot: Lot | None) -> None:
        """It has come."""
        self.lot = lot
        self.come.set_result(None)


class Lot(Shared):
    """One transaction of several commands; `ended` is called after it.

    `everybody` is how those run with whom nothing is wrong but that they were together.
    """

    def __init__(
        self, storage: Storage, everybody: Way, bounds: Bounds, spawn: Spawn, ended: Callable[[Lot], None]
    ) -> None:
        self.unit = storage.unit(whole=True)
        self._everybody = everybody
        self._on_end = ended
        self._loop = asyncio.get_running_loop()
        self._bounds = bounds
        self._limit = self._loop.call_later(bounds.limit_seconds, self._cut)
        self._spawn = spawn
        self._at_work: list[Part] = []
        self._members: list[Part] = []  # who is committed, in the order in which they have happened
        self._waiting: list[asyncio.Future[None]] = []  # for the end
        self._is_putting = True  # until the statements are sent
        self._is_ending = self._is_over = False  # it is being committed or rolled back; it has been
        self._error: CommitUnknown | None = None

    async def begin(self, turns: Sequence[Turn]) -> None:
        """Let them begin, once the unit has what it needs."""
        try:
            await self.unit.prepare()
        except StorageError:  # each finds out by itself what it is
            self.is_broken = True
        for turn in turns:
            if turn.is_waiting:
                turn.give(self)
        self._loop.call_soon(self._send)  # when each has come to its statement

    # -- the statements ------------------------------------------------------------------------------------------

    def put(self, part: Part, statement: Executable, parameters: Any) -> Awaitable[CursorResult[Any]] | None:
        result = self.unit.put(statement, parameters) if self._is_putting and not self.is_broken else None
        if result is not None:
            part.is_put = True
            self._members.append(part)
        return result

    def _send(self) -> None:
        self._is_putting = False
        self.unit.send(self._failed)
        self._next()

    def _failed(self, number: int) -> None:
        """One of the statements; it is the only one that its method is to be blamed for."""
        put = [part for part in self._members if part.is_put]
        common = self.unit.conflicted or not 0 <= number < len(put)
        if not self.is_broken:
            (self._everybody if common else put[number].way).singly.failed()
        self.is_broken = True

    # -- a part --------------------------------------------------------------------------------------------------

    async def take(self, way: Way, scope: Scope, body: Body[T], answer: Record[T]) -> T:
        """Do one's part, and wait until all is committed. Raises: Undone; CommitUnknown; CancelledError."""
        task = asyncio.current_task()
        assert task is not None
        part = Part(self, way, task)
        self._at_work.append(part)
        scope.unit, scope.wrote, scope.calls, scope.joint = part, False, None, True
        token = current_scope.set(scope)
        try:
            result = await Watched(body(), scope, partial(self._elsewhere, part))
            part.writes += answer(result)
            self._check(part, scope)
        except BaseException as error:
            if part.is_cut:
                task.uncancel()
            is_own = task.cancelling() > part.cancelling
            if not is_own:
                self._blame(part, error)
            self.is_broken |= part.is_put
            self._leave(part, scope)
            if is_own and isinstance(error, Apart):  # nobody's but the lot's: what it did after it was cancelled
                raise CancelledError from error
            if is_own or not isinstance(error, Exception | CancelledError | Conflict | Apart):
                raise
            if part.is_put:
                await self._until_over()
            raise Undone from error
        finally:
            current_scope.reset(token)
        if not part.is_put:  # it has executed nothing, in time
            self._members.append(part)
        self._leave(part, scope)
        await self._durable(result)
        way.singly.succeeded()
        return result

    def _check(self, part: Part, scope: Scope) -> None:
        """Raises: Apart where what it has done cannot be committed with the others."""
        late = not (self._is_putting or part.is_put)
        if late or self.is_broken or part.is_cut or part.busy or scope.apart or self.unit.conflicted:
            raise Apart

    def _leave(self, part: Part, scope: Scope) -> None:
        part.is_over = True
        self._at_work.remove(part)
        if scope.calls or scope.apart:
            part.way.note_solitary()
        self._next()

    def _next(self) -> None:
        """End, when everybody whose statement was sent has done its part."""
        if self._is_putting or self._is_ending or any(part.is_put for part in self._at_work):
            return
        self._is_ending = True
        self._limit.cancel()
        self._spawn(self._end()).add_done_callback(self._ended)

    def _blame(self, part: Part, error: BaseException) -> None:
        """Whose next commands go by themselves: those of the method that failed, or all."""
        if not (self.is_broken or isinstance(error, Apart)):
            common = isinstance(error, StorageError | Conflict) or self.unit.conflicted
            (self._everybody if common else part.way).singly.failed()

    def _elsewhere(self, part: Part) -> None:
        """It does more than to use its database: it may do so this once, if that does not take long."""
        if not part.way.solitary and part.is_put:
            self._limit.cancel()
            self._limit = self._loop.call_later(self._bounds.elsewhere_seconds, self._cut)
        part.way.note_solitary()

    def _cut(self) -> None:
        """They have taken too long."""
        slow = [part for part in self._at_work if part.is_put]
        if not self.is_broken:
            for way in {self._everybody if part.busy else part.way for part in slow}:
                way.singly.failed()
        self.is_broken = True
        for part in slow:
            part.is_cut = True
            part.task.cancel()

    # -- the end -------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Commit, or roll back."""
        unit = self.unit
        try:
            if self._members and not self.is_broken:
                for part in self._members:
                    for write in part.writes:
                        unit.defer(write)
                    for told in part.notify:
                        unit.after_commit(*told)
                await unit.commit()
                self._everybody.singly.succeeded()
        except CommitUnknown as error:
            self._error = error
        except (Exception, Conflict):  # noqa: BLE001 - each finds out by itself what it is
            self._everybody.singly.failed()
        finally:
            await unit.rollback()

    def _ended(self, _: object) -> None:
        """Tell everybody."""
        self._is_over = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        tell = partial(self._on_end, self)
        tell() if self.unit.committed else self._loop.call_soon(tell)  # those who are undone begin first

    async def _until_over(self) -> None:
        """Wait for the end of all."""
        if not self._is_over:
            waiting = self._loop.create_future()
            self._waiting.append(waiting)
            await waiting

    async def _durable(self, result: object) -> None:
        """Wait for the commit. A part cannot be taken out, so who is cancelled before it begins takes all back."""
        cancelled: CancelledError | None = None
        while not self._is_over:
            try:
                await self._until_over()
            except CancelledError as error:
                if not self._is_ending:
                    self.is_broken = True
                    raise
                cancelled = error
        if cancelled is not None:
            if self.unit.committed:
                raise CancelledError(Committed(result)) from None
            raise cancelled
        if self._error is not None:
            raise CommitUnknown(*self._error.args)
        if not self.unit.committed:
            raise Undone
