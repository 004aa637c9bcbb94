"""An upstream carries calls on over replicas that come and go, and repeats only what may be repeated."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from ramet.errors import DeadlineExceeded, Denied, OutcomeUnknown, Unavailable
from ramet.transport.base import Endpoint
from ramet.transport.policy.moments import Decision
from ramet.transport.policy.policies import Policies
from ramet.transport.policy.retries import Retries
from tests.unit.transport.upstream.world import ONE, TWO, World


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
