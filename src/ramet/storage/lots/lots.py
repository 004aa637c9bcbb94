"""Lots of commands: those of one service that have gathered, in one transaction, where that changes only the speed.

Nobody waits for company: a command goes at once, with those that have come in the same turn of the event loop. While
it is under way the next ones gather. Several go as a *lot* (`lot.py`): committed together, as if one had come after the
other. Where one of them does anything but succeed, all is rolled back, and each runs by itself, as it would have
without the others: only then is anybody told of an error. So a body may be run again because of another command.

Only commands of one statement go together. What a method's commands do is seen where they are by themselves, as they
are at first, and from then on where they execute several statements, call a command, or wait for something else than
their database. The bodies of a lot run side by side, as each would by itself, each in its caller's task; handlers of
events run one after the other (`ramet.events.lots`).
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from ramet.storage.base import Storage, Unit
from ramet.storage.lots.lot import Bounds, Lot, Turn, Undone
from ramet.storage.lots.watching import MOST, Watched, Way
from ramet.storage.work import Body, Record, transact
from ramet.tasks import Spawn
from ramet.telemetry.scope import Scope

T = TypeVar("T")

BOUNDS = Bounds()


class CommandLots:
    """Runs the commands of one service that have a key, and so may be run again: as `transact` does, but together."""

    def __init__(self, storage: Storage, spawn: Spawn, bounds: Bounds = BOUNDS) -> None:
        self.storage = storage
        self._bounds = bounds
        self._spawn = spawn
        self._ways: dict[str, Way] = {}
        self._all = Way()
        self._gathered: deque[Turn] = deque()
        self._under_way: dict[object, None] = {}
        """Those that are waited for, the oldest first."""
        self._hurry: asyncio.TimerHandle | None = None

    async def transact(self, scope: Scope, body: Body[T], answer: Record[T]) -> T:
        """See `work.transact`."""
        way = self._ways.get(scope.name)
        if way is None:
            way = self._ways[scope.name] = Way()
        if way.solitary or self.storage.rehearses:
            return await transact(self.storage, scope, body, answer)
        if not way.is_brief or way.singly.takes() or self._all.singly.takes():
            return await self._apart(way, scope, body, answer, way.note_solitary)
        turn = await self._turn(way)
        if turn.lot is not None:
            try:
                return await turn.lot.take(way, scope, body, answer)
            except Undone:
                scope.joint = scope.apart = scope.supposed = False
            self._begins(turn)
        return await self._alone(turn, scope, body, answer)

    async def _apart(
        self, way: Way, scope: Scope, body: Body[T], answer: Record[T], elsewhere: Callable[[], None]
    ) -> T:
        """In a transaction of its own: what it does there decides whether the next may be in a lot."""
        try:
            return await transact(self.storage, scope, lambda: Watched(body(), scope, elsewhere), answer)
        finally:
            way.is_brief = isinstance(scope.unit, Unit) and scope.unit.operations <= 1
            if scope.calls:
                way.note_solitary()

    async def _alone(self, turn: Turn, scope: Scope, body: Body[T], answer: Record[T]) -> T:
        """The same, while others gather, unless it turns out to wait for something else."""

        def elsewhere() -> None:
            turn.way.note_solitary()
            self._over(turn)

        try:
            return await self._apart(turn.way, scope, body, answer, elsewhere)
        finally:
            self._over(turn)

    # -- taking turns --------------------------------------------------------------------------------------------

    async def _turn(self, way: Way) -> Turn:
        """Wait until nobody is under way, or for no longer than this turn of the loop."""
        loop = asyncio.get_running_loop()
        turn = Turn(way, loop.create_future())
        if not self._gathered:
            loop.call_soon(self._settle)
        self._gathered.append(turn)
        try:
            await turn.come
        except CancelledError:
            if turn.come.done() and not turn.come.cancelled():  # too late to give it to somebody else
                self._over(turn)
            raise
        return turn

    def _watch(self) -> None:
        """Look after whoever waits first: one timer looks after all that follow."""
        if self._hurry is None and self._gathered:
            first, seconds = self._gathered[0], self._bounds.gathering_seconds
            self._hurry = asyncio.get_running_loop().call_later(seconds, self._hasten, first)

    def _hasten(self, watched: Turn) -> None:
        """Who was the first to wait must not wait any more: nobody waits for the oldest that is under way."""
        self._hurry = None
        if watched.is_waiting and self._under_way:
            self._over(next(iter(self._under_way)))
        self._watch()

    def _begins(self, who: object) -> None:
        self._under_way[who] = None

    def _over(self, who: object) -> None:
        """One that others were waiting for is done, or not waited for any more."""
        self._under_way.pop(who, None)
        self._settle()

    def _settle(self) -> None:
        """Let go who may; who has to wait is looked after."""
        while self._gathered and not self._under_way:
            self._go()
        self._watch()

    def _go(self) -> None:
        """Let those go who have gathered: together, unless that has failed just now."""
        turns = [turn for turn in self._gathered if turn.is_waiting]
        self._gathered = deque(turns[MOST:])
        if len(turns) > 1 and not self._all.singly.left:
            lot = Lot(self.storage, self._all, self._bounds, self._spawn, self._over)
            self._begins(lot)
            self._spawn(lot.begin(turns[:MOST]))
            return
        for turn in turns[:MOST]:
            self._begins(turn)
            turn.give(None)
