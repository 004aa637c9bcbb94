"""What is seen of work that may be in a lot: what it waits for, and whether it fails; and what follows for the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar, cast

from ramet.storage.base import Unit
from ramet.telemetry.scope import Scope

T = TypeVar("T")

MOST = 100
"""How many are in one lot."""

ELSEWHERE_SECONDS = 0.1
"""How long a lot goes on after one of it has begun to wait for something else, while others' writes wait with it."""

SINGLY, SINGLY_MOST = 64, 1024
"""How many go each by itself after a failure; twice as many the next time."""


class Watched(Generic[T]):
    """Awaited, it is `work`; `elsewhere` is called each time that waits while the scope's unit is not busy."""

    def __init__(self, work: Awaitable[T], scope: Scope, elsewhere: Callable[[], None]) -> None:
        self._work = cast("Coroutine[Any, Any, T]", work)
        self._scope = scope
        self._elsewhere = elsewhere

    def __await__(self) -> Generator[Any, Any, T]:
        work, scope = self._work, self._scope
        resume: Callable[[], Any] = partial(work.send, None)
        while True:
            try:
                waits_for = resume()
            except StopIteration as end:
                return cast("T", end.value)
            if not (isinstance(scope.unit, Unit) and scope.unit.busy):
                self._elsewhere()
            try:
                value = yield waits_for
            except BaseException as error:  # noqa: BLE001 - the work is told, whatever it is
                resume = partial(work.throw, error)
            else:
                resume = partial(work.send, value)


class Singly:
    """How many of the next go each by itself: `first` of them to begin with, and more after each failure."""

    def __init__(self, first: int = 0) -> None:
        self.left = first
        self._next = SINGLY

    def takes(self) -> bool:
        """Whether the next one does; it is counted."""
        if not self.left:
            return False
        self.left -= 1
        return True

    def failed(self) -> None:
        """Those that were together have failed."""
        self.left, self._next = self._next, min(2 * self._next, SINGLY_MOST)

    def succeeded(self) -> None:
        """They are committed."""
        self._next = SINGLY


class Way:
    """How one method is run, by what was seen of it: in lots, or each by itself, as the `first` always are."""

    def __init__(self, first: int = 0) -> None:
        self.singly = Singly(first)
        self.solitary = False
        """It does more than to use its database: it called a command, or waited for something. Never in a lot again."""
        self.on_solitary: Callable[[], None] | None = None
        self.is_brief = False
        """Its last command that was by itself has executed one statement: no other command is ever in a lot."""

    def note_solitary(self) -> None:
        """It was seen to be."""
        if not self.solitary:
            self.solitary = True
            if self.on_solitary is not None:
                self.on_solitary()
