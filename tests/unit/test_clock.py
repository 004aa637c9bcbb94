"""Time, identifiers and chance, real and told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ramet import Clock, SystemClock, VirtualClock


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
