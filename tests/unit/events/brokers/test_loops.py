"""Loops of adapters go on, whatever the library under them does."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ramet.clock import Clock, VirtualClock
from ramet.events.brokers.loops import AGAIN_SECONDS, Insist, persist
from ramet.tasks import Tasks

LOG = logging.getLogger("ramet.test")


@pytest.mark.parametrize("failure", [RuntimeError("gone"), StopAsyncIteration(), asyncio.CancelledError()])
async def test_a_loop_that_ended_begins_again_after_what_it_held_was_given_back(failure: BaseException) -> None:
    clock = VirtualClock()
    told: list[str] = []
    again = asyncio.Event()

    async def loop() -> None:
        told.append("begun")
        if len(told) == 1:
            raise failure
        again.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(persist(loop, clock=clock, log=LOG, mend=lambda: told.append("mended")))
        await clock.settle()
        assert told == ["begun", "mended"]
        await clock.advance(AGAIN_SECONDS)
        await again.wait()
        task.cancel()
    assert told == ["begun", "mended", "begun"]


async def test_a_loop_that_is_told_to_end_ends() -> None:
    async def loop() -> None:
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(persist(loop, clock=VirtualClock(), log=LOG))
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()


def insist(clock: Clock, patience_seconds: float) -> Insist:
    return Insist(
        clock=clock,
        patience_seconds=patience_seconds,
        failures=(OSError,),
        final=lambda error: isinstance(error, PermissionError),
        unreachable=lambda error: LookupError(str(error)),
    )


async def test_what_fails_for_a_while_is_asked_again() -> None:
    clock, failures = VirtualClock(), [OSError("gone"), OSError("gone")]

    async def ask() -> str:
        if failures:
            raise failures.pop()
        return "there"

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(insist(clock, 5.0)(ask))
        await clock.advance(2 * AGAIN_SECONDS)
    assert asked.result() == "there"


@pytest.mark.parametrize(
    ("failure", "told", "asked"),
    [
        (OSError("gone"), LookupError, 3),
        (PermissionError("never"), LookupError, 1),
        (ValueError("ours"), ValueError, 1),
    ],
)
async def test_what_it_fails_with_is_told_when_there_is_no_more_time_or_it_is_final(
    failure: Exception, told: type[Exception], asked: int
) -> None:
    clock, count = VirtualClock(), 0

    async def ask() -> None:
        nonlocal count
        count += 1
        await clock.sleep(1.0)
        raise failure

    asking = Tasks().spawn(insist(clock, 2.5)(ask))
    await clock.advance(10.0)
    with pytest.raises(told, match=str(failure)):
        await asking
    assert count == asked
