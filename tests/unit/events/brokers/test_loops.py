"""Loops of adapters go on, whatever the library under them does."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ramet.clock import VirtualClock
from ramet.events.brokers.loops import AGAIN_SECONDS, persist

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
