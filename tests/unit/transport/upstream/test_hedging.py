"""Queries that take long are sent a second time, where that may be and helps."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from ramet.errors import DeadlineExceeded
from ramet.transport.base import Endpoint
from ramet.transport.policy.hedging import Hedging
from ramet.transport.policy.moments import Decision
from ramet.transport.policy.policies import Policies
from tests.unit.transport.upstream.world import ONE, TWO, World


async def test_a_slow_query_is_hedged_and_the_faster_answer_counts(world: World) -> None:
    upstream = await world.upstream(ONE, TWO, policies=Policies(hedging=Hedging(enabled=True)))
    for channel in world.channels.values():
        channel.gate = asyncio.Event()
    call = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.advance(0.1)
    slow, fast = sorted(world.channels.values(), key=lambda one: one.calls == [])
    assert len(slow.calls) == len(fast.calls) == 1
    assert fast.gate is not None
    fast.gate.set()
    assert await call == fast.address.encode()
    await world.clock.settle()
    assert slow.in_flight == 0


async def test_a_query_that_cannot_be_hedged_when_it_is_slow_is_hedged_when_it_can(world: World) -> None:
    upstream = await world.upstream(ONE, policies=Policies(hedging=Hedging(enabled=True)))
    world.channels[ONE.address].gate = asyncio.Event()
    query = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.advance(0.1)
    upstream.update((ONE, TWO))
    await world.clock.advance(0.1)
    assert query.done()
    assert await query == TWO.address.encode()


async def test_who_all_wait_for_one_replica_are_hedged_although_nobody_earns_for_the_budget(world: World) -> None:
    stuck = Endpoint(address="unix:/stuck", group="money", weight=1e9)
    upstream = await world.upstream(stuck, ONE, policies=Policies(hedging=Hedging(enabled=True)))
    world.channels[stuck.address].gate = asyncio.Event()
    await world.clock.advance(1)
    queries = [world.tasks.spawn(upstream.call(world.call(), repeatable=True)) for _ in range(14)]
    await world.clock.advance(2)
    assert all(query.done() for query in queries)


async def test_a_hedged_query_that_fails_is_told_its_caller_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    upstream, gate = await world.upstream(ONE, TWO, policies=Policies(hedging=Hedging(enabled=True))), asyncio.Event()
    for channel in world.channels.values():
        channel.gate, channel.always = gate, lambda: DeadlineExceeded("It took too long.")
    call = asyncio.gather(upstream.call(world.call(), repeatable=True), return_exceptions=True)
    await world.clock.advance(0.1)
    gate.set()
    assert [type(error) for error in await call] == [DeadlineExceeded]
    await world.clock.settle()
    assert (world.decisions().count(Decision.HEDGED), caplog.records) == (1, [])


async def test_only_the_methods_that_are_hedged_are_sent_twice(world: World) -> None:
    hedged = Policies(hedging=Hedging(enabled=True))
    upstream = await world.upstream(ONE, TWO, policies=Policies(methods={"pay.charge": hedged}))
    for channel in world.channels.values():
        channel.gate = asyncio.Event()
    tasks = [
        world.tasks.spawn(upstream.call(replace(world.call(), method=method), repeatable=True))
        for method in ("pay.charge", "pay.refund")
    ]
    await world.clock.advance(1)
    sent = [call.method for channel in world.channels.values() for call in channel.calls]
    assert sorted(sent) == ["pay.charge", "pay.charge", "pay.refund"]
    for channel in world.channels.values():
        assert channel.gate is not None
        channel.gate.set()
    await asyncio.gather(*tasks)
