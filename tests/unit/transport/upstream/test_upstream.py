"""An upstream carries calls on over replicas that come and go, and repeats only what may be repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from ramet.clock import VirtualClock
from ramet.errors import DeadlineExceeded, Denied, OutcomeUnknown, RametError, Unavailable
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call, Channel, Endpoint
from ramet.transport.policy.hedging import Hedging
from ramet.transport.policy.moments import Decision, Moment
from ramet.transport.policy.policies import Policies
from ramet.transport.policy.retries import Retries
from ramet.transport.upstream.upstream import Upstream

ONE, TWO, THREE = (Endpoint(address=f"unix:/{name}", group="money") for name in ("one", "two", "three"))


class FakeChannel(Channel):
    """Answers with its address, or as it is told."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.calls: list[Call] = []
        self.errors: list[Exception] = []
        self.always: Callable[[], Exception] | None = None
        self.gate: asyncio.Event | None = None
        self.usable = True
        self.waiting = 0
        self.closing: asyncio.Task[Any] | None = None

    async def call(self, call: Call) -> bytes:
        self.calls.append(call)
        self.waiting += 1
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.waiting -= 1
        if self.errors:
            raise self.errors.pop(0)
        if self.always is not None:
            raise self.always()
        return self.address.encode()

    @property
    def in_flight(self) -> int:
        return self.waiting

    async def close(self) -> None:
        self.usable = False
        self.closing = asyncio.current_task()
        if self.gate is not None and self.waiting:
            await self.gate.wait()


class World:
    """Replicas by address, virtual time, and what was reported."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.tasks = Tasks()
        self.moments: list[Moment] = []
        self.channels: dict[str, FakeChannel] = {}
        self.away: dict[str, RametError] = {}

    async def dial(self, endpoint: Endpoint) -> Channel:
        if endpoint.address in self.away:
            raise self.away[endpoint.address]
        made = self.channels[endpoint.address] = FakeChannel(endpoint.address)
        return made

    async def upstream(self, *endpoints: Endpoint, policies: Policies | None = None) -> Upstream:
        made = Upstream(
            "money",
            self.dial,
            clock=self.clock,
            spawn=self.tasks.spawn,
            policies=policies or Policies(),
            hook=self.moments.append,
        )
        made.update(endpoints)
        await self.clock.settle()
        return made

    def call(self, *, seconds: float = 5.0, key: str | None = None) -> Call:
        return Call("pay.charge", b"", Context.root("1", deadline=self.clock.monotonic() + seconds), key)

    def decisions(self) -> list[Decision]:
        return [moment.decision for moment in self.moments]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.tasks.stop()


async def test_a_call_that_was_not_executed_goes_to_another_replica_even_if_it_is_not_repeatable(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    world.channels[ONE.address].always = lambda: Unavailable("gone")
    answers = {await upstream.call(world.call(), repeatable=False) for _ in range(20)}
    assert answers == {TWO.address.encode()}
    assert Decision.RETRIED in world.decisions()


async def test_an_unknown_outcome_is_not_repeated_unless_the_call_is_repeatable(world: World) -> None:
    upstream = await world.upstream(ONE)
    world.channels[ONE.address].errors = [OutcomeUnknown("lost")]
    with pytest.raises(OutcomeUnknown):
        await upstream.call(world.call(), repeatable=False)
    assert len(world.channels[ONE.address].calls) == 1


async def test_a_call_that_is_sent_again_has_no_fresh_key_any_more(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    for channel in world.channels.values():
        channel.errors = [OutcomeUnknown("lost")]
    call = world.tasks.spawn(upstream.call(replace(world.call(key="k"), fresh=True), repeatable=True))
    await world.clock.advance(1)
    await asyncio.gather(call, return_exceptions=True)
    sent = [one for channel in world.channels.values() for one in channel.calls]
    assert sorted(one.fresh for one in sent) == [False] * (len(sent) - 1) + [True]
    assert len(sent) > 1


async def test_an_unknown_outcome_of_a_repeatable_call_is_repeated(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    for channel in world.channels.values():
        channel.errors = [OutcomeUnknown("lost")]
    call = world.tasks.spawn(upstream.call(world.call(key="k"), repeatable=True))
    await world.clock.advance(1)
    assert await call


async def test_what_is_unknown_stays_unknown_when_later_attempts_reach_nobody(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    for channel in world.channels.values():
        channel.errors = [OutcomeUnknown("lost")]
        channel.always = lambda: Unavailable("gone")
    call = world.tasks.spawn(upstream.call(world.call(key="k"), repeatable=True))
    await world.clock.advance(10)
    with pytest.raises(OutcomeUnknown):
        await call


async def test_a_deadline_that_was_exceeded_is_not_repeated(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    for channel in world.channels.values():
        channel.always = lambda: DeadlineExceeded("late")
    with pytest.raises(DeadlineExceeded):
        await upstream.call(world.call(), repeatable=True)
    assert sum(len(channel.calls) for channel in world.channels.values()) == 1


async def test_a_call_waits_for_the_next_replica_while_one_follows_another(world: World) -> None:
    upstream = await world.upstream(ONE)
    upstream.update([])
    call = world.tasks.spawn(upstream.call(world.call(), repeatable=False))
    await world.clock.advance(1)
    assert not call.done()
    upstream.update([TWO])
    await world.clock.settle()
    assert await call == TWO.address.encode()


async def test_where_nobody_comes_a_call_says_who_is_missing_and_later_ones_fail_at_once(world: World) -> None:
    upstream = await world.upstream()
    call = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.advance(4)
    with pytest.raises(Unavailable, match="no replica of money is known"):
        await call
    with pytest.raises(Unavailable):
        await upstream.call(world.call(), repeatable=True)


async def test_where_nobody_is_about_to_come_no_call_waits(world: World) -> None:
    upstream = await world.upstream()
    call = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.settle()
    assert not call.done()
    upstream.update(None)
    await world.clock.settle()
    for refused in (call, upstream.call(world.call(), repeatable=True)):
        with pytest.raises(Unavailable, match="the group money has no replica"):
            await refused
    upstream.update([])
    later = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.settle()
    upstream.update([ONE])
    await world.clock.settle()
    assert await later == ONE.address.encode()


async def test_a_call_waits_no_longer_than_its_deadline(world: World) -> None:
    upstream = await world.upstream()
    call = world.tasks.spawn(upstream.call(world.call(seconds=0.5), repeatable=True))
    await world.clock.advance(0.6)
    with pytest.raises(Unavailable):
        await call


async def test_a_replica_that_cannot_be_reached_is_dialled_until_it_can(world: World) -> None:
    world.away[ONE.address] = Unavailable("refused")
    upstream = await world.upstream(ONE)
    call = world.tasks.spawn(upstream.call(world.call(), repeatable=False))
    await world.clock.advance(0.5)
    del world.away[ONE.address]
    await world.clock.advance(1.5)
    assert await call == ONE.address.encode()


async def test_a_process_that_is_not_let_in_is_told_so_at_once(world: World) -> None:
    world.away[ONE.address] = Denied("not you")
    upstream = await world.upstream(ONE)
    with pytest.raises(Denied, match="not you"):
        await upstream.call(world.call(), repeatable=False)


async def test_a_lost_channel_is_replaced(world: World) -> None:
    upstream = await world.upstream(ONE)
    former = world.channels[ONE.address]
    former.usable = False
    call = world.tasks.spawn(upstream.call(world.call(), repeatable=False))
    await world.clock.settle()
    assert await call
    assert world.channels[ONE.address] is not former


async def test_a_removed_replica_is_closed_and_gets_no_calls(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    upstream.update([TWO])
    await world.clock.settle()
    assert not world.channels[ONE.address].usable
    assert {await upstream.call(world.call(), repeatable=False) for _ in range(20)} == {TWO.address.encode()}


async def test_a_breaker_opens_for_a_method_that_keeps_failing_and_closes_after_a_trial(world: World) -> None:
    upstream = await world.upstream(ONE)
    channel = world.channels[ONE.address]
    channel.errors = [DeadlineExceeded("late") for _ in range(5)]
    for _ in range(5):
        with pytest.raises(DeadlineExceeded):
            await upstream.call(world.call(), repeatable=True)
    with pytest.raises(Unavailable, match="breaker"):
        await upstream.call(world.call(), repeatable=True)
    assert await upstream.call(replace(world.call(), method="pay.other"), repeatable=True)
    await world.clock.advance(1)
    assert await upstream.call(world.call(), repeatable=True)
    assert Decision.OPENED in world.decisions()
    assert Decision.CLOSED in world.decisions()


async def test_a_trial_that_is_cancelled_leaves_the_next_call_as_the_trial(world: World) -> None:
    upstream = await world.upstream(ONE)
    channel = world.channels[ONE.address]
    channel.errors = [DeadlineExceeded("late") for _ in range(5)]
    for _ in range(5):
        with pytest.raises(DeadlineExceeded):
            await upstream.call(world.call(), repeatable=True)
    await world.clock.advance(1)
    channel.gate = asyncio.Event()
    trial = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.settle()
    trial.cancel()
    await world.clock.settle()
    channel.gate = None
    assert await upstream.call(world.call(), repeatable=True)


async def test_retries_end_when_the_budget_is_spent(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    for channel in world.channels.values():
        channel.always = lambda: Unavailable("no")
    upstream._attempts.budget.saved = 0.0
    with pytest.raises(Unavailable):
        await upstream.call(world.call(), repeatable=True)
    assert sum(len(channel.calls) for channel in world.channels.values()) == 1
    assert Decision.BUDGET_SPENT in world.decisions()


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


async def test_a_replica_that_was_slow_once_is_asked_again_when_that_is_long_ago(world: World) -> None:
    upstream = await world.upstream(ONE, TWO)
    gate = asyncio.Event()
    for channel in world.channels.values():
        channel.gate = gate
    await world.clock.advance(1)
    slow = world.tasks.spawn(upstream.call(world.call(), repeatable=True))
    await world.clock.advance(2)
    gate.set()
    where = await slow
    assert where not in {await upstream.call(world.call(), repeatable=True) for _ in range(20)}
    await world.clock.advance(60)
    assert where in {await upstream.call(world.call(), repeatable=True) for _ in range(20)}


async def test_the_same_zone_is_preferred(world: World) -> None:
    near = Endpoint(address="unix:/near", group="money", zone="a")
    far = Endpoint(address="unix:/far", group="money", zone="b")
    upstream = await world.upstream(far, near, policies=Policies(zone="a"))
    assert {await upstream.call(world.call(), repeatable=False) for _ in range(20)} == {b"unix:/near"}


async def test_calls_are_shared_by_weight(world: World) -> None:
    light = Endpoint(address="unix:/light", group="money", weight=0.1)
    heavy = Endpoint(address="unix:/heavy", group="money", weight=0.9)
    upstream = await world.upstream(light, heavy)
    answers = [await upstream.call(world.call(), repeatable=False) for _ in range(2000)]
    assert 120 < answers.count(b"unix:/light") < 280


async def test_a_share_that_changes_counts_from_then_on(world: World) -> None:
    light = Endpoint(address="unix:/light", group="money", weight=1.0)
    heavy = Endpoint(address="unix:/heavy", group="money", weight=1.0)
    upstream = await world.upstream(light, heavy)
    upstream.update([Endpoint(address="unix:/light", group="money", weight=0.0), heavy])
    assert {await upstream.call(world.call(), repeatable=False) for _ in range(50)} == {b"unix:/heavy"}


async def test_a_method_goes_by_policies_of_its_own(world: World) -> None:
    whole = Policies()
    once = Policies(retries=Retries(attempts=1))
    upstream = await world.upstream(ONE, policies=Policies(methods={"pay.charge": once}))
    channel = world.channels[ONE.address]
    channel.always = lambda: Unavailable("gone")
    with pytest.raises(Unavailable):
        await upstream.call(world.call(), repeatable=True)
    assert len(channel.calls) == 1
    other = replace(world.call(), method="pay.refund")
    asked = world.tasks.spawn(upstream.call(other, repeatable=True))
    await world.clock.advance(5)
    with pytest.raises(Unavailable):
        await asked
    assert len(channel.calls) == 1 + whole.retries.attempts


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


@pytest.mark.parametrize("retired", [False, True])
async def test_what_is_in_flight_on_a_former_channel_is_waited_for_and_holds_up_nobody(
    world: World, retired: bool
) -> None:
    upstream = await world.upstream(ONE)
    former = world.channels[ONE.address]
    former.gate = asyncio.Event()
    long = world.tasks.spawn(upstream.call(world.call(seconds=60), repeatable=False))
    await world.clock.settle()
    former.usable = False
    await upstream.call(world.call(), repeatable=False)
    if retired:
        upstream.update(())
    else:
        world.channels[ONE.address].usable = False
        short = world.tasks.spawn(upstream.call(world.call(), repeatable=False))
        await world.clock.advance(1)
        assert short.done()
    await world.clock.settle()
    assert former.closing is not None
    assert not former.closing.done()
    former.gate.set()
    assert await long
