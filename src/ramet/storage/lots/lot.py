"""A lot: the commands in one transaction, each with its part of it, from the first turn to the end of all.

The bodies run one after the other in one `whole` unit, each in its own task and as its own work, and see each other's
writes as if each had been committed before. Commands of methods that have only ever executed one statement begin
together: their statements are sent in one piece, in an order that is theirs, too. Whoever of them then wants to do
more would do it after the statements of others, so all is rolled back instead.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ramet.errors import CommitUnknown, StorageError
from ramet.storage.base import Conflict, Storage
from ramet.storage.lots.part import Part, Shared, Way
from ramet.storage.lots.watching import Watched
from ramet.storage.work import Answer, Body
from ramet.tasks import Spawn
from ramet.telemetry.scope import Apart, Committed, Scope, current_scope

if TYPE_CHECKING:  # SQLAlchemy is imported with the adapter
    from sqlalchemy import CursorResult, Executable

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long commands may keep each other waiting.

    A lot takes in no more after `budget_seconds`. One of its commands may take `limit_seconds` while others' locks and
    answers wait with it, and `elsewhere_seconds` where it waits for something else than its database. Those who gather
    wait `gathering_seconds` for who is under way, who may wait for a lock, or just be slow.
    """

    budget_seconds: float = 0.1
    limit_seconds: float = 1.0
    elsewhere_seconds: float = 0.1
    gathering_seconds: float = 0.05


class Undone(Exception):
    """The lot was rolled back: whoever was in it is to run by itself."""


class Turn:
    """Somebody's turn: in a `lot`, or by itself."""

    __slots__ = ("come", "lot", "way")

    def __init__(self, way: Way) -> None:
        self.way = way
        self.lot: Lot | None = None
        self.come: asyncio.Future[None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody waits for it."""
        return self.come is not None and not self.come.done()

    def give(self, lot: Lot | None) -> None:
        """It has come."""
        assert self.come is not None
        self.lot = lot
        self.come.set_result(None)


class Lot(Shared):
    """One transaction of several commands; `ended` is called after it with those who had no turn in it, and with how
    long each of them has had it, where they had it one after the other.

    `everybody` is how those run with whom nothing is wrong but that they were together.
    """

    def __init__(
        self,
        storage: Storage,
        everybody: Way,
        turns: Sequence[Turn],
        patience: Patience,
        ended: Callable[[Lot, list[Turn], float | None], None],
    ) -> None:
        self.unit = storage.unit(whole=True)
        self._everybody = everybody
        self._turns = deque(turns)
        self._on_end = ended
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._begun = self._loop.time()
        self._pace: float | None = None
        self._limit = self._loop.call_later(patience.limit_seconds, self._cut)
        self._spawn: Spawn | None = None
        self._open = 0  # have begun, or are about to
        self._parts: list[Part] = []  # which are at work
        self._done: list[Part] = []  # in the order in which they have happened
        self._put: list[Part] = []  # whose statements leave in one piece, and who are still at work
        self._is_putting = False  # until that piece is sent
        self._holder: Part | None = None  # who has the unit now
        self._asking: deque[tuple[Part, asyncio.Future[None]]] = deque()  # who wants it next
        self._waiting: list[asyncio.Future[None]] = []  # for the end
        self._is_full = False  # it takes in no more
        self._is_ending = self._is_over = False  # it is being committed or rolled back; it has been
        self._error: CommitUnknown | None = None

    # -- turns ---------------------------------------------------------------------------------------------------

    def start(self, spawn: Spawn) -> None:
        """Let those begin together that are brief, and then one after the other."""
        self._spawn = spawn
        brief: list[Turn] = []
        others: deque[Turn] = deque()
        for turn in self._turns:
            (brief if turn.way.is_brief and not turn.way.waits.left else others).append(turn)
        if len(brief) < 2:
            self._next()
            return
        self._turns, self._open, self._is_putting = others, len(brief), True
        for turn in brief:
            turn.give(self)
        self._loop.call_soon(self._send)  # when each has come to its first statement

    def _send(self) -> None:
        self._is_putting = False
        self.unit.send(self._failed)
        self._next()

    def _failed(self, number: int) -> None:
        """One of the statements that were sent together."""
        put = [part for part in self._done if part.is_put]  # others may be done that had nothing to execute
        common = self.unit.conflicted or not 0 <= number < len(put)
        if not self.is_broken:
            (self._everybody if common else put[number].way).singly.failed()
        self.is_broken = True

    def put(self, part: Part, statement: Executable, parameters: Any) -> Awaitable[CursorResult[Any]] | None:
        if not self._is_putting or self.is_broken:
            return None
        result = self.unit.put(statement, parameters)
        if result is None:
            part.way.waits.failed()
            return None
        part.is_put = True
        self._put.append(part)
        self._done.append(part)
        return result

    async def wait_for_unit(self, part: Part) -> None:
        asked = self._loop.create_future()
        self._asking.append((part, asked))
        self._next()
        await asked

    def missed(self) -> None:
        """Somebody was cancelled as their turn came."""
        self._open -= 1
        self._next()

    def _next(self) -> None:
        """Give the turn to the next, or end."""
        if (self._is_putting or self._put or self._holder is not None) and not self.is_broken:
            return
        while self._asking:
            part, asked = self._asking.popleft()
            if not asked.done():
                if self.is_broken:
                    asked.set_exception(Apart())
                    continue
                self._holder, part.has_unit = part, True
                asked.set_result(None)
                return
        if self._open:
            return
        until = self._begun + self._patience.budget_seconds
        while self._turns and not (self.is_broken or self._is_full or self._loop.time() > until):
            turn = self._turns.popleft()
            if turn.is_waiting:
                self._open = 1
                turn.give(self)
                return
        if not self._is_ending and self._spawn is not None:
            self._is_ending = True
            self._limit.cancel()
            self._spawn(self._end()).add_done_callback(self._ended)

    # -- a part --------------------------------------------------------------------------------------------------

    async def take(self, way: Way, scope: Scope, body: Body[T], answer: Answer[T]) -> T:
        """Do one's part, and wait until all is committed. Raises: Undone; CommitUnknown; CancelledError."""
        task = asyncio.current_task()
        assert task is not None
        part = Part(self, way, task)
        self._parts.append(part)
        scope.unit, scope.wrote, scope.calls, scope.joint = part, False, None, True
        token = current_scope.set(scope)
        try:
            result = await self._done_by(part, scope, body, answer)
        except BaseException as error:
            if part.is_cut:
                task.uncancel()
            is_own = task.cancelling() > part.cancelling
            if not is_own:
                self._blame(way, error)
            self._leave(part, scope, broken=True)
            if is_own or not isinstance(error, Exception | CancelledError | Conflict | Apart):
                raise
            await self._until_over()
            raise Undone from error
        finally:
            current_scope.reset(token)
        self._leave(part, scope, broken=False)
        await self._durable(result)
        way.singly.succeeded()
        return result

    async def _done_by(self, part: Part, scope: Scope, body: Body[T], answer: Answer[T]) -> T:
        if self.is_broken:
            raise Apart
        if not (self._is_putting or self._put or self._holder):
            self._holder, part.has_unit = part, True
        result = await Watched(body(), scope, partial(self._elsewhere, part.way))
        part.writes += answer(result)
        if self.is_broken or part.is_cut or part.in_use or scope.apart or self.unit.conflicted:
            raise Apart
        return result

    def _leave(self, part: Part, scope: Scope, *, broken: bool) -> None:
        """It has done its part, or the lot is broken."""
        part.is_over = True
        self._parts.remove(part)
        self._open -= 1
        if scope.calls or scope.apart:
            part.way.is_solitary()
            self._is_full = True
        if broken:
            self.is_broken = True
        elif part.is_put:
            part.way.waits.succeeded()
        else:
            part.way.is_brief = part.operations <= 1
            self._done.append(part)
        if part.is_put:
            self._put.remove(part)
        if self._holder is part:
            self._holder = None
        self._next()

    def _blame(self, way: Way, error: BaseException) -> None:
        """Whose next commands go by themselves: those of the method that failed, or all."""
        if not (self.is_broken or isinstance(error, Apart)):
            common = isinstance(error, StorageError | Conflict) or self.unit.conflicted
            (self._everybody if common else way).singly.failed()

    def _elsewhere(self, way: Way) -> None:
        """It does more than to use its database: it may do so this once, if that does not take long."""
        way.is_solitary()
        if not self._is_full:
            self._is_full = True
            self._limit.cancel()
            self._limit = self._loop.call_later(self._patience.elsewhere_seconds, self._cut)

    def _cut(self) -> None:
        """Somebody has taken too long."""
        if not self.is_broken and self._holder is not None:
            self._holder.way.singly.failed()
        self.is_broken = True
        for part in self._parts:
            part.is_cut = True
            part.task.cancel()

    # -- the end -------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Commit, or roll back."""
        unit, count = self.unit, len(self._done)
        if count and not any(part.is_put for part in self._done):
            self._pace = (self._loop.time() - self._begun) / count
        try:
            if self._done and not self.is_broken:
                for part in self._done:
                    for write in part.writes:
                        unit.defer(write)
                    for notify in part.notify:
                        unit.after_commit(notify)
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
        tell = partial(self._on_end, self, list(self._turns), self._pace)
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
