"""Running a coroutine at once, without a task until it really waits for something.

Most answers never wait: a task for each would cost more than all the rest of a call. So the coroutine is driven by hand
to its end or to its first wait, and only then is a task made that goes on with it. Meanwhile, and for ever after for
that coroutine, `asyncio.current_task()` is a `StandIn`, so that `asyncio.timeout`, task groups and whatever else asks
for the current task work, and find the same one on both sides of each wait. The variables of the context are one
context's, too. Coroutines that end without a wait use the same stand-in one after the other, as long as none of them
leaves a trace on it.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine
from contextvars import Context as Variables
from contextvars import copy_context
from sys import getrefcount
from typing import Any, Self
from weakref import getweakrefcount

from ramet.tasks import Spawn

UNSHARED = 4
"""References to a stand-in that only `Eager` and the event loop have."""


class StandIn:
    """In the place of the task of a coroutine that has none, and in front of the one it gets."""

    task: asyncio.Task[Any] | None = None
    cancellations = 0

    def cancel(self, msg: Any = None) -> bool:
        """As a task's."""
        if self.task is not None:
            return self.task.cancel(msg)
        self.cancellations += 1
        return True

    def cancelling(self) -> int:
        """As a task's."""
        return self.task.cancelling() if self.task is not None else self.cancellations

    def uncancel(self) -> int:
        """As a task's."""
        if self.task is not None:
            return self.task.uncancel()
        self.cancellations = max(0, self.cancellations - 1)
        return self.cancellations

    def __getattr__(self, name: str) -> Any:
        """Whatever else somebody asks of a task is the task's to answer, as soon as there is one."""
        if self.task is None:
            raise AttributeError(f"a coroutine that has not waited yet has no {name}")
        return getattr(self.task, name)

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """From now on this is the task."""
        self.task = task
        for _ in range(self.cancellations):
            task.cancel()


class Started(Coroutine[Any, Any, Any]):
    """The rest of a coroutine that has been driven to its first wait: what a task is made of."""

    __slots__ = ("_first", "_loop", "_rest", "_stand_in", "_variables", "_waits")

    def __init__(self, rest: Coroutine[Any, Any, Any], first: Any, stand_in: StandIn, variables: Variables) -> None:
        self._rest = rest
        self._first = first
        self._waits = True
        self._stand_in = stand_in
        self._variables = variables
        self._loop = asyncio.get_running_loop()

    def send(self, value: Any) -> Any:
        """Go on; the first time, only say again what is waited for, so that the task waits for it."""
        if self._waits:
            self._waits = False
            return self._first
        return self._go_on(self._rest.send, value)

    def throw(self, error: Any, *rest: Any) -> Any:
        """Go on with an exception: a cancellation. Before the first step it is passed on to what is waited for."""
        if self._waits:
            self._waits = False
            cancel = getattr(self._first, "cancel", None)
            if cancel is not None and isinstance(error, asyncio.CancelledError) and cancel():
                return self._first
        return self._go_on(self._rest.throw, error, *rest)

    def close(self) -> None:
        """End it."""
        self._rest.close()

    def __await__(self) -> Any:
        return self

    def _go_on(self, step: Callable[..., Any], *with_what: Any) -> Any:
        loop, task = self._loop, asyncio.current_task(self._loop)
        assert task is not None
        _leave_task(loop, task)
        _enter_task(loop, self._stand_in)  # type: ignore[arg-type]  # any object will do
        try:
            return self._variables.run(step, *with_what)
        finally:
            _leave_task(loop, self._stand_in)  # type: ignore[arg-type]  # as above
            _enter_task(loop, task)


class Eager:
    """Runs coroutines, one after the other, each at once to its end or to its first wait; inside a `with` block.

    `loop` is the running one, which to ask for takes a system call.
    """

    __slots__ = ("_loop", "_spawn", "_stand_in")

    def __init__(self, spawn: Spawn, loop: asyncio.AbstractEventLoop) -> None:
        self._spawn = spawn
        self._loop = loop
        self._stand_in = StandIn()

    def __enter__(self) -> Self:
        _enter_task(self._loop, self._stand_in)  # type: ignore[arg-type]  # any object will do
        return self

    def __exit__(self, *_: object) -> None:
        _leave_task(self._loop, self._stand_in)  # type: ignore[arg-type]  # as above

    def start(self, work: Coroutine[Any, Any, None]) -> StandIn | None:
        """Run it to its end (None), or to its first wait: then `spawn` has made a task of the rest.

        It has variables of its own. What it raises is lost: it is to see to that itself.
        """
        stand_in, variables = self._stand_in, copy_context()
        try:
            first = variables.run(work.send, None)
        except (StopIteration, asyncio.CancelledError):
            if getrefcount(stand_in) > UNSHARED or vars(stand_in) or getweakrefcount(stand_in):
                self._renew()  # somebody may still mean this one
            return None
        self._renew()
        stand_in.adopt(self._spawn(Started(work, first, stand_in, variables)))
        return stand_in

    def _renew(self) -> None:
        """Whoever comes next gets a stand-in of his own."""
        self.__exit__()
        self._stand_in = StandIn()
        self.__enter__()
