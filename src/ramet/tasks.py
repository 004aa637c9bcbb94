"""The parent of every background task: the only module that creates tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]
"""How whoever needs a background task is given the means to make one: `Tasks.spawn` of the owner."""

PATIENCE_SECONDS = 0.5
T = TypeVar("T")
log = logging.getLogger("ramet.tasks")


class Tasks:
    """Background tasks that end with their owner; one that fails is logged, and fails nobody else."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run it in the background; the task is kept until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        own = asyncio.current_task()
        await end([task for task in self._running if task is not own])

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A background task failed: %s", task.get_coro(), exc_info=error)


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel these tasks, and wait until they have ended.

    They are cancelled again and again: `asyncio.wait_for` of Python 3.11 loses a cancellation that arrives together
    with the result, and libraries use it.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=PATIENCE_SECONDS)


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives, which is ended when the time is up: also where it loses a cancellation, and would go on.

    Raises: TimeoutError; what the work raises.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        await end([task])
        if not task.cancelled():
            task.exception()  # seen


async def first_of(waited: Iterable[asyncio.Future[Any]], sleep: Coroutine[Any, Any, None], spawn: Spawn) -> None:
    """Wait until one of these is done, for no longer than `sleep`, a clock's, takes; none of them is cancelled."""
    timer = spawn(sleep)
    try:
        await asyncio.wait({timer, *waited}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()


def is_ending() -> bool:
    """Whether this task was told to end; else a cancellation came from what it runs, and is a failure of that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def unless_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives, such as a start; None when somebody wants it to stop first, which cancels it."""
    own = asyncio.current_task()
    assert own is not None

    async def cancel() -> None:
        await stopping.wait()
        own.cancel()

    cancelling = Tasks().spawn(cancel())
    try:
        return await work
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
        own.uncancel()
        return None
    finally:
        cancelling.cancel()
