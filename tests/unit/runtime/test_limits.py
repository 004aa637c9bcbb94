"""A method may have a deadline of its own, wherever it is answered."""

from __future__ import annotations

import asyncio

import pytest

from ramet import Application, Contract, calling, command, query
from ramet.clock import SystemClock, VirtualClock
from ramet.contract.reading.application import read
from ramet.errors import DeadlineExceeded, OutcomeUnknown
from ramet.runtime.limits import limited
from ramet.runtime.policies import Deadlines
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import temporary
from ramet.telemetry.context import Context, current_context
from ramet.transport.base import Call

CLOCK = VirtualClock()


class Slow(Contract, version="1.0.0"):
    @query
    async def never(self) -> None: ...

    @query
    async def left(self) -> float: ...

    @command
    async def store(self) -> None: ...


class SlowService(Slow):
    async def never(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def left(self) -> float:
        context = current_context.get()
        assert context is not None
        return context.deadline - SystemClock().monotonic()

    async def store(self) -> None:
        await asyncio.get_running_loop().create_future()


class Away:
    """Carries calls to somebody who is late."""

    async def call(self, call: Call, *, repeatable: bool) -> bytes:
        raise DeadlineExceeded(f"{call.method} is late, {repeatable}")


def running(deadlines: Deadlines) -> Running:
    return Running(read(Application("slow", services=[SlowService])), temporary(), Options(deadlines=deadlines))


async def test_a_call_may_take_as_long_as_is_said_of_its_method_and_no_longer_than_whoever_calls() -> None:
    application = running(Deadlines(2.0, {"slow.never": 0.01, "slow.left": 60.0}))
    await application.start()
    try:
        client = application.client(Slow)
        with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s"):
            await client.never()
        assert 50 < await client.left() <= 60
        async with calling(timeout=5):
            assert await client.left() <= 60
        token = current_context.set(Context.root("e", deadline=SystemClock().monotonic() + 5))
        assert await client.left() <= 5
        current_context.reset(token)
    finally:
        await application.stop()


async def test_without_one_of_its_own_it_may_take_what_all_may() -> None:
    application = running(Deadlines(0.01))
    await application.start()
    try:
        with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s"):
            await application.client(Slow).never()
    finally:
        await application.stop()


async def test_what_is_answered_elsewhere_is_told_and_says_itself_what_is_known_of_a_command() -> None:
    options = Options(hosts=frozenset(), carrier=lambda _: Away(), deadlines=Deadlines(2.0, {"slow.store": 1.0}))
    application = Running(read(Application("slow", services=[SlowService])), temporary(), options)
    await application.start()
    try:
        with pytest.raises(OutcomeUnknown):
            await application.client(Slow).store()
    finally:
        await application.stop()

    async def target() -> float:
        context = current_context.get()
        assert context is not None
        return context.deadline

    told = limited(target, 3.0, CLOCK, elsewhere=True)
    assert await told() == CLOCK.monotonic() + 3.0
    token = current_context.set(Context.root("e", deadline=CLOCK.monotonic() + 1.0))
    assert await told() == CLOCK.monotonic() + 1.0
    current_context.reset(token)
