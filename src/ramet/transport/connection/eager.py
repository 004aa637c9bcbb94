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
    """In the place of the task of a coroutine that has none, and in front of the one it gets.

    Whatever is asked of it is the task's to answer. That is made when the coroutine waits, or when somebody asks.
    """

    __slots__ = ("__dict__", "__weakref__", "_eager")
    task: asyncio.Task[Any] | None = None
    _started: Started | None = None

    def __init__(self, eager: Eager) -> None:
        self._eager = eager

    def cancelling(self) -> int:
        """As a task's; to be asked, as by each `asyncio.timeout`, needs no task."""
        return self.task.cancelling() if self.task is not None else 0

    def uncancel(self) -> int:
        """As a task's."""
        return self.task.uncancel() if self.task is not None else 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made(), name)

    def __await__(self) -> Any:
        return self._made().__await__()

    def go_on(self, rest: Coroutine[Any, Any, Any], first: Any, variables: Variables) -> None:
        """The coroutine has come to its first wait: from here on the task drives it."""
        self._made()
        assert self._started is not None
        self._started.go_on(rest, first, variables)

    def _made(self) -> asyncio.Task[Any]:
        """The task, which begins in the next turn of the loop: until then it is known what is left to do for it."""
        if self.task is None:
            self._started = Started(self, self._eager.loop)
            self.task = self._eager.spawn(self._started)
        return self.task


class Started(Coroutine[Any, Any, Any]):
    """What is left of a coroutine that has been driven to its first wait, or to its end: what a task is made of."""

    __slots__ = ("_awaited", "_first", "_loop", "_rest", "_stand_in", "_variables", "_waits")

    def __init__(self, stand_in: StandIn, loop: asyncio.AbstractEventLoop) -> None:
        self._stand_in = stand_in
        self._loop = loop
        self._rest: Coroutine[Any, Any, Any] | None = None
        self._waits = False

    def go_on(self, rest: Coroutine[Any, Any, Any], first: Any, variables: Variables) -> None:
        """With this, which waits for `first`: until the task does, others may wait for the same future, too."""
        self._rest, self._first, self._variables = rest, first, variables
        self._waits = True
        self._awaited = getattr(first, "_asyncio_future_blocking", None)
        if self._awaited:
            first._asyncio_future_blocking = False  # noqa: SLF001 - as a task does that has seen it

    def send(self, value: Any) -> Any:
        """Go on; the first time, only say again what is waited for, so that the task waits for it."""
        if self._waits:
            return self._wait()
        if self._rest is None:
            raise StopIteration
        return self._step(self._rest.send, value)

    def throw(self, error: Any, *rest: Any) -> Any:
        """Go on with an exception: a cancellation. Before the first step it is passed on to what is waited for."""
        if self._rest is None:
            raise error
        if self._waits:
            cancel = getattr(self._first, "cancel", None)
            if cancel is not None and isinstance(error, asyncio.CancelledError) and cancel(*error.args):
                return self._wait()
            self._waits = False
        return self._step(self._rest.throw, error, *rest)

    def close(self) -> None:
        """End it."""
        if self._rest is not None:
            self._rest.close()

    def __await__(self) -> Any:
        return self

    def _wait(self) -> Any:
        self._waits = False
        if self._awaited:
            self._first._asyncio_future_blocking = True  # noqa: SLF001 - as `await` does
        return self._first

    def _step(self, step: Callable[..., Any], *with_what: Any) -> Any:
        loop, task = self._loop, self._stand_in.task
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

    __slots__ = ("_stand_in", "loop", "spawn")

    def __init__(self, spawn: Spawn, loop: asyncio.AbstractEventLoop) -> None:
        self.spawn = spawn
        self.loop = loop
        self._stand_in = StandIn(self)

    def __enter__(self) -> Self:
        _enter_task(self.loop, self._stand_in)  # type: ignore[arg-type]  # any object will do
        return self

    def __exit__(self, *_: object) -> None:
        _leave_task(self.loop, self._stand_in)  # type: ignore[arg-type]  # as above

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
        stand_in.go_on(work, first, variables)
        return stand_in

    def _renew(self) -> None:
        """Whoever comes next gets a stand-in of his own."""
        self.__exit__()
        self._stand_in = StandIn(self)
        self.__enter__()
