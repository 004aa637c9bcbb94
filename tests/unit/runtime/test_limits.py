"""A method may have a deadline and a bulkhead of its own, wherever it is answered."""

from __future__ import annotations

import asyncio

import pytest

from ramet import Application, Contract, calling, command, query
from ramet.clock import SystemClock, VirtualClock
from ramet.contract.reading.application import read
from ramet.errors import DeadlineExceeded, OutcomeUnknown, Overloaded
from ramet.runtime.limits import gated, limited
from ramet.runtime.policies import Deadlines
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import temporary
from ramet.telemetry.context import Context, current_context
from ramet.transport.base import Call, Peer
from ramet.transport.policy.bulkhead import Bulkhead

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


async def test_methods_with_a_bulkhead_of_their_own_leave_room_for_the_others() -> None:
    gate = asyncio.Event()

    async def answer(call: Call, peer: Peer) -> bytes:
        await gate.wait()
        return call.method.encode()

    assert gated(answer, [], CLOCK) is answer
    gates = gated(answer, [(Bulkhead(concurrency=1, queue=0), ("slow.never", "slow.left"))], CLOCK)

    def call(method: str) -> Call:
        return Call(method, b"", Context.root("e", deadline=CLOCK.monotonic() + 5))

    first = asyncio.ensure_future(gates(call("slow.never"), Peer("x")))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match=r"slow\.left was refused"):
        await gates(call("slow.left"), Peer("x"))
    others = [asyncio.ensure_future(gates(call("slow.store"), Peer("x"))) for _ in range(3)]
    gate.set()
    assert await asyncio.gather(first, *others) == [b"slow.never"] + [b"slow.store"] * 3
