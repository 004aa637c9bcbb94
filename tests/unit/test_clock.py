"""Time, identifiers and chance, real and told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest

from ramet import Clock, SystemClock, VirtualClock
from ramet.clock import Alarm


@pytest.fixture(params=[SystemClock, VirtualClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made = request.param()
    assert isinstance(made, Clock)
    return made


def test_identifiers_are_unique_and_ordered_by_time(clock: Clock) -> None:
    ids = [clock.id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(len(one) == 32 and int(one, 16) for one in ids)
    assert {one[12] for one in ids} == {"7"}
    assert {one[16] for one in ids} <= set("89ab")
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)
    assert int(ids[0][:12], 16) == pytest.approx(clock.time() * 1000, abs=60_000)


def test_chance_stays_in_its_bounds(clock: Clock) -> None:
    assert all(0 <= clock.random() < 1 for _ in range(200))
    assert all(0 <= clock.bits(count) < 2**count for count in (1, 7, 8, 9, 74) for _ in range(50))
    assert all(5 <= clock.jitter(10) <= 10 for _ in range(200))


def test_now_is_aware(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC
    assert clock.now().timestamp() == pytest.approx(clock.time(), abs=60)


async def test_a_sleep_of_nothing_gives_way_to_others(clock: Clock) -> None:
    seen = []

    async def other() -> None:
        seen.append("other")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(other())
        for pause in (0, -1, timedelta(0), timedelta(seconds=-1)):
            await clock.sleep(pause)
        assert seen == ["other"]


async def spawn(tasks: asyncio.TaskGroup, *bodies: Coroutine[Any, Any, None]) -> None:
    for body in bodies:
        tasks.create_task(body)


async def test_a_sleep_may_be_a_timedelta() -> None:
    clock, seen = VirtualClock(), []

    async def wake() -> None:
        await clock.sleep(timedelta(minutes=2))
        seen.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wake())
        await clock.advance(timedelta(minutes=1))
        assert not seen
        await clock.advance(60)
    assert seen == [120]
    await SystemClock().sleep(timedelta(microseconds=1))


async def test_virtual_time_moves_only_when_told_and_wakes_in_order() -> None:
    clock, seen = VirtualClock(), []

    async def wake(after: float, again: float = 0) -> None:
        await clock.sleep(after)
        seen.append((after, clock.monotonic()))
        if again:
            await clock.sleep(again)
            seen.append((again, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        await spawn(tasks, wake(3), wake(1, again=1.5), wake(2), wake(10))
        await clock.settle()
        assert seen == []
        assert clock.next_wake == 1
        await clock.advance(timedelta(seconds=3))
        assert seen == [(1, 1), (2, 2), (1.5, 2.5), (3, 3)]
        assert (clock.monotonic(), clock.next_wake) == (3, 7)
        await clock.advance(7)
    assert seen[-1] == (10, 10)
    assert clock.next_wake is None
    assert clock.now() == datetime(2030, 1, 1, 0, 0, 10, tzinfo=UTC)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = VirtualClock()
    async with asyncio.TaskGroup() as tasks:
        sleeper = tasks.create_task(clock.sleep(5))
        await clock.settle()
        assert clock.next_wake == 5
        sleeper.cancel()
        await clock.settle()
    assert clock.next_wake is None
    await clock.advance(10)
    assert clock.monotonic() == 10


def test_a_seed_repeats_identifiers_and_chance() -> None:
    first, second, other = VirtualClock(seed=7), VirtualClock(seed=7), VirtualClock(seed=8)
    assert [first.id(), first.random()] == [second.id(), second.random()]
    assert other.id() != VirtualClock(seed=7).id()


def test_virtual_time_begins_where_it_is_told() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    assert VirtualClock(start=start).now() == start


async def test_what_is_called_later_may_be_cancelled(clock: Clock) -> None:
    called: list[str] = []
    done = asyncio.Event()
    clock.call_later(0.002, lambda: called.append("never")).cancel()
    clock.call_later(0.001, lambda: called.append("first"))
    clock.call_later(0.02, done.set)
    if isinstance(clock, VirtualClock):
        await clock.advance(0.02)
    await done.wait()
    assert called == ["first"]


async def test_an_alarm_rings_at_the_earliest_moment_it_was_set_to_and_once() -> None:
    clock = VirtualClock()
    rung: list[float] = []
    alarm = Alarm(clock, lambda: rung.append(clock.monotonic()))
    for moment in (20.0, 10.0, 30.0, inf):
        alarm.set(moment)
        assert alarm.at <= moment
    await clock.advance(100)
    assert (rung, alarm.at) == ([10.0], inf)
    alarm.set(90.0)  # that moment has passed
    await clock.settle()
    assert rung == [10.0, 100.0]


async def test_an_alarm_that_is_stopped_does_not_ring() -> None:
    clock = VirtualClock()
    rung: list[float] = []
    alarm = Alarm(clock, lambda: rung.append(clock.monotonic()))
    alarm.set(10.0)
    alarm.stop()
    await clock.advance(100)
    assert (rung, alarm.at) == ([], inf)


async def test_an_alarm_may_be_set_while_it_rings() -> None:
    clock = VirtualClock()
    rung: list[float] = []

    def ring() -> None:
        rung.append(clock.monotonic())
        alarm.set(clock.monotonic() + 10.0)

    alarm = Alarm(clock, ring)
    alarm.set(10.0)
    await clock.advance(35)
    assert rung == [10.0, 20.0, 30.0]
