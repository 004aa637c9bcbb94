"""Commands that have gathered in one transaction, where that changes nothing but the speed.

Nobody waits for company: a command that comes alone goes alone, at once. While it is under way the next ones gather,
and go as a *lot*: their bodies run one after the other in one `whole` unit, each in its own task and as its own work,
and their answers are committed with it. They see each other's writes as if each had been committed before. Where one
of them does anything but succeed, all is rolled back, and each runs by itself, as it would have without the others:
only then is anybody told of an error. So a body may be run again because of another command; one that waits for
something else than its database, or calls a command, goes by itself from then on.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ramet.errors import CommitUnknown, StorageError
from ramet.storage.base import Conflict, Storage, Write
from ramet.storage.watching import Singly, Watched
from ramet.storage.work import Answer, Body, transact
from ramet.tasks import Spawn
from ramet.telemetry.scope import Apart, Committed, Scope, current_scope

T = TypeVar("T")

AT_ONCE = 1
"""How many lots there are side by side, unless somebody has waited for too long."""

PATIENCE_SECONDS = 0.025
"""How long those who gather wait for who is under way, who may wait for a lock."""

BUDGET_SECONDS = 0.05
"""How long a lot goes on with further commands."""

LIMIT_SECONDS = 0.25
"""How long a command may take while others' locks and answers wait with it."""

ELSEWHERE_SECONDS = 0.1
"""The same for one that waits for something else than its database."""

MOST = 100
"""How many are in one lot."""


class _Way:
    """How a method is run, by what was seen of it."""

    def __init__(self) -> None:
        self.singly = Singly(1)  # the first shows what it does
        self.solitary = False

    def is_solitary(self) -> None:
        """It does more than to use its database."""
        self.solitary = True


class _Undone(Exception):
    """The lot was rolled back: whoever was in it is to run by itself."""


class Lots:
    """Runs the commands of one service that have a key, and so may be run again: as `transact` does, but together."""

    def __init__(self, storage: Storage, spawn: Spawn) -> None:
        self.storage = storage
        self.spawn = spawn
        self.singly = Singly()
        self._ways: dict[str, _Way] = {}
        self._free = AT_ONCE
        self._gathered: deque[asyncio.Future[_Lot | None]] = deque()
        self._hurry: asyncio.TimerHandle | None = None

    async def transact(self, scope: Scope, body: Body[T], answer: Answer[T]) -> T:
        """See `work.transact`."""
        way = self._ways.get(scope.name)
        if way is None:
            way = self._ways[scope.name] = _Way()
        if way.solitary or way.singly.takes() or self.singly.takes():
            return await self._alone(way, scope, body, answer, way.is_solitary)
        lot = await self._turn()
        if lot is None:
            return await self._first(way, scope, body, answer)
        try:
            return await lot.take(way, scope, body, answer)
        except _Undone:
            scope.joint = scope.parted = scope.supposed = False
        return await self._alone(way, scope, body, answer, way.is_solitary)

    async def _alone(
        self, way: _Way, scope: Scope, body: Body[T], answer: Answer[T], elsewhere: Callable[[], None]
    ) -> T:
        """In a transaction of its own; what it does besides is noticed."""
        if way.solitary:
            return await transact(self.storage, scope, body, answer)
        try:
            return await transact(self.storage, scope, lambda: Watched(body(), scope, elsewhere), answer)
        finally:
            if scope.calls:
                way.is_solitary()

    async def _first(self, way: _Way, scope: Scope, body: Body[T], answer: Answer[T]) -> T:
        """By itself, while others gather, unless it turns out to wait for something else."""
        under_way = True

        def over() -> None:
            nonlocal under_way
            if under_way:
                under_way = False
                self.over()

        def elsewhere() -> None:
            way.is_solitary()
            over()

        try:
            return await self._alone(way, scope, body, answer, elsewhere)
        finally:
            over()

    # -- taking turns --------------------------------------------------------------------------------------------

    async def _turn(self) -> _Lot | None:
        """Wait for company; None: go by itself, where nobody is under way at once."""
        if self._free > 0:
            self._free -= 1
            return None
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[_Lot | None] = loop.create_future()
        self._gathered.append(turn)
        if self._hurry is None:
            self._hurry = loop.call_later(PATIENCE_SECONDS, self._hasten, turn)
        try:
            return await turn
        except CancelledError:
            if turn.done() and not turn.cancelled():  # too late to give it to somebody else
                lot = turn.result()
                self.over() if lot is None else lot.pass_on()
            raise

    def _hasten(self, watched: asyncio.Future[_Lot | None]) -> None:
        """Who was the first to wait must not wait any more: they do not wait for who is under way."""
        self._hurry = None
        if not watched.done():
            self._go()
        if self._gathered:
            self._hurry = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._hasten, self._gathered[0])

    def over(self) -> None:
        """One that others were waiting for is done."""
        self._free += 1
        while self._gathered and self._free > 0:
            self._go()

    def _go(self) -> None:
        """Let those go who have gathered: together, unless that has failed just now."""
        turns = [turn for turn in self._gathered if not turn.done()]
        self._gathered = deque(turns[MOST:])
        if len(turns) > 1 and not self.singly.left:
            self._free -= 1
            _Lot(self, turns[:MOST])
            return
        for turn in turns[:MOST]:
            self.singly.takes()
            self._free -= 1
            turn.set_result(None)

    def back(self, turns: Sequence[asyncio.Future[_Lot | None]]) -> None:
        """These have not had their turn."""
        self._gathered.extendleft(reversed(turns))


class _Lot:
    """One transaction, from its first turn to the end of all."""

    def __init__(self, lots: Lots, turns: Sequence[asyncio.Future[_Lot | None]]) -> None:
        self._lots = lots
        self._turns = deque(turns)
        self._loop = asyncio.get_running_loop()
        self._unit = lots.storage.unit(whole=True)
        self._late = lots.storage.unit()
        self._until = self._loop.time() + BUDGET_SECONDS
        self._limit = self._loop.call_later(LIMIT_SECONDS, self._cut)
        self._task: asyncio.Task[object] | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._parts = 0
        self._is_cut = self._is_broken = self._is_full = self._is_ending = self._is_over = False
        self._error: CommitUnknown | None = None
        self.pass_on()

    def pass_on(self) -> None:
        """Give the turn to the next, or end."""
        while self._turns and not (self._is_broken or self._is_full or self._loop.time() > self._until):
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(self)
                return
        self._lots.back(self._turns)
        self._limit.cancel()
        self._lots.spawn(self._end())

    async def take(self, way: _Way, scope: Scope, body: Body[T], answer: Answer[T]) -> T:
        """Do one's part, and wait until all is committed. Raises: _Undone; CommitUnknown; CancelledError."""
        task = self._task = asyncio.current_task()
        assert task is not None
        before, unit = task.cancelling(), self._unit
        scope.unit, scope.wrote, scope.calls, scope.joint = unit, False, None, self._parts > 0
        token = current_scope.set(scope)
        try:
            if self._is_broken:
                raise Apart
            result = await Watched(body(), scope, partial(self._elsewhere, way))
            writes: Sequence[Write] = tuple(answer(result))
            if self._is_cut or scope.parted or unit.conflicted or unit.in_use:
                raise Apart
        except BaseException as error:
            is_own = self._is_own(task, before)
            self._note(way, scope)
            self._break(None if is_own else way, error)
            self.pass_on()
            if is_own or not isinstance(error, Exception | CancelledError | Conflict | Apart):
                raise
            await self._ended()
            raise _Undone from error
        finally:
            current_scope.reset(token)
            await self._late.rollback()
            scope.unit = self._late  # whoever is left of it comes too late
        self._task = None
        self._note(way, scope)
        for write in writes:
            unit.defer(write)
        self._parts += 1
        self.pass_on()
        await self._durable(result)
        way.singly.succeeded()
        return result

    def _is_own(self, task: asyncio.Task[object], before: int) -> bool:
        """Whether it has ended because its caller has cancelled it."""
        self._task = None
        if self._is_cut:
            task.uncancel()
        return task.cancelling() > before

    def _note(self, way: _Way, scope: Scope) -> None:
        if scope.calls or scope.parted:
            way.is_solitary()
            self._is_full = True

    def _elsewhere(self, way: _Way) -> None:
        """It does more than to use its database: it may do so this once, if that does not take long."""
        way.is_solitary()
        if not self._is_full:
            self._is_full = True
            self._limit.cancel()
            self._limit = self._loop.call_later(ELSEWHERE_SECONDS, self._cut)

    def _cut(self) -> None:
        """Whoever has the turn has had it for too long."""
        if self._task is None:
            self._is_broken = True
        else:
            self._is_cut = True
            self._task.cancel()

    def _break(self, way: _Way | None, error: BaseException) -> None:
        """Nobody can be committed; `way` is that of who has failed, which is its own fault or the transaction's."""
        if way is not None and not self._is_broken:
            common = isinstance(error, StorageError | Conflict) or self._unit.conflicted
            (self._lots.singly if common else way.singly).failed()
        self._is_broken = True

    # -- the end -------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Commit, or roll back, and tell everybody."""
        unit, self._is_ending = self._unit, True
        try:
            if self._parts and not self._is_broken:
                await unit.commit()
                self._lots.singly.succeeded()
        except CommitUnknown as error:
            self._error = error
        except (Exception, Conflict):  # noqa: BLE001 - each finds out by itself what it is
            self._lots.singly.failed()
        finally:
            try:
                await unit.rollback()
            finally:
                self._is_over = True
                for waiting in self._waiting:
                    if not waiting.done():
                        waiting.set_result(None)
                self._lots.over()

    async def _ended(self) -> None:
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
                await self._ended()
            except CancelledError as error:
                if not self._is_ending:
                    self._is_broken = True
                    raise
                cancelled = error
        if cancelled is not None:
            if self._unit.committed:
                raise CancelledError(Committed(result)) from None
            raise cancelled
        if self._error is not None:
            raise CommitUnknown(*self._error.args)
        if not self._unit.committed:
            raise _Undone
