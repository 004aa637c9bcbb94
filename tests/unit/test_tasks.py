"""Background tasks end with their owner, whatever they do about it."""

from __future__ import annotations

import asyncio

import pytest

from ramet.tasks import Tasks, end, first_of, unless_stopped, within
from ramet.testing import VirtualClock


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


async def test_work_that_is_stopped_gives_nothing_and_whoever_waits_goes_on() -> None:
    stopping, undone = asyncio.Event(), False

    async def work() -> bool:
        nonlocal undone
        try:
            stopping.set()
            await asyncio.Event().wait()
        finally:
            undone = True
        return True

    assert await unless_stopped(stopping, work()) is None
    assert undone
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_work_that_nobody_stops_gives_what_it_gives() -> None:
    async def work() -> int:
        return 12

    assert await unless_stopped(asyncio.Event(), work()) == 12


async def test_the_first_of_several_is_waited_for_until_the_time_is_up_and_none_is_cancelled() -> None:
    tasks, clock, loop = Tasks(), VirtualClock(), asyncio.get_running_loop()
    slow, quick = loop.create_future(), loop.create_future()
    waiting = tasks.spawn(first_of((slow, quick), clock.sleep(5.0), tasks.spawn))
    await asyncio.sleep(0)
    quick.set_result(None)
    await waiting
    waiting = tasks.spawn(first_of((slow,), clock.sleep(5.0), tasks.spawn))
    await clock.advance(4.0)
    assert not waiting.done()
    await clock.advance(2.0)
    await waiting
    assert not slow.done()
    await tasks.stop()


async def test_work_whose_time_is_up_is_ended_though_it_loses_a_cancellation() -> None:
    lost: list[str] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append("one")

    with pytest.raises(TimeoutError):
        await within(0.01, stubborn())
    assert lost == ["one"]


async def test_work_in_time_gives_what_it_gives() -> None:
    async def works() -> str:
        return "done"

    async def fails() -> None:
        raise ValueError("no")

    assert await within(60.0, works()) == "done"
    with pytest.raises(ValueError, match="no"):
        await within(60.0, fails())
