"""What the client library ends a call with is told from an order to end."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("aiormq", reason="pip install ramet[rabbitmq]")

from ramet.errors import ConfigurationError
from ramet.events.brokers.rabbitmq.failures import FAILURES, Lost, library


@pytest.mark.parametrize(
    "strange", [StopAsyncIteration(), RuntimeError("closed"), Exception(), asyncio.CancelledError()]
)
async def test_whatever_the_library_gives_a_call_up_with_is_a_lost_connection(strange: BaseException) -> None:
    with pytest.raises(FAILURES) as raised, library:
        raise strange
    assert isinstance(raised.value, Lost)


@pytest.mark.parametrize("known", [ConnectionResetError("reset"), TimeoutError(), ConfigurationError("wrong")])
async def test_what_says_what_happened_stays_as_it_is(known: Exception) -> None:
    with pytest.raises(type(known)) as raised, library:
        raise known
    assert raised.value is known


async def test_a_task_that_is_told_to_end_ends() -> None:
    async def call() -> None:
        with library:
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()


async def test_a_call_that_takes_too_long_times_out() -> None:
    with pytest.raises(TimeoutError), library:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
