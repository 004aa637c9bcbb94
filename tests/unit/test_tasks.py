"""Background tasks end with their owner, whatever they do about it."""

from __future__ import annotations

import asyncio

from ramet.tasks import Tasks, end


async def test_a_task_that_loses_its_first_cancellation_is_ended_all_the_same() -> None:
    tasks, begun, lost = Tasks(), asyncio.Event(), 0

    async def stubborn() -> None:
        nonlocal lost
        while True:
            try:
                begun.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = tasks.spawn(stubborn())
    await begun.wait()
    await end([task])
    assert (task.cancelled(), lost) == (True, 2)


async def test_what_has_ended_already_is_no_matter() -> None:
    tasks = Tasks()
    task = tasks.spawn(asyncio.sleep(0))
    await task
    await end([task])
    await tasks.stop()
