"""Deadlines are kept by one alarm, which sees nothing of most requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ramet.clock import VirtualClock
from ramet.http.inflight import InFlight
from ramet.tasks import Tasks


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    tasks = Tasks()
    yield tasks
    await tasks.stop()


async def request(flights: InFlight, deadline: float, done: asyncio.Event) -> bool:
    """Whether it was cancelled for time."""
    flight = flights.enter(deadline)
    try:
        await done.wait()
    except asyncio.CancelledError:
        pass
    finally:
        flights.leave(flight)
    return flight.overdue


async def test_a_request_is_cancelled_at_its_deadline(tasks: Tasks) -> None:
    clock = VirtualClock()
    flights = InFlight(clock, tasks.spawn)
    work = tasks.spawn(request(flights, 1.0, asyncio.Event()))
    await clock.advance(0.99)
    assert not work.done()
    await clock.advance(0.01)
    assert work.result() is True


async def test_the_others_go_on(tasks: Tasks) -> None:
    clock, done = VirtualClock(), asyncio.Event()
    flights = InFlight(clock, tasks.spawn)
    late = tasks.spawn(request(flights, 1.0, done))
    other = tasks.spawn(request(flights, 100.0, done))
    await clock.advance(2.0)
    done.set()
    assert [await late, await other] == [True, False]


async def test_requests_that_end_in_time_wake_nobody_but_for_the_first(tasks: Tasks) -> None:
    clock = VirtualClock()
    flights = InFlight(clock, tasks.spawn)
    for number in range(10):
        done = asyncio.Event()
        work = tasks.spawn(request(flights, number + 10.0, done))
        await clock.advance(0.1)
        done.set()
        await work
    assert clock.next_wake == 9.0
    await clock.advance(9.0)
    assert clock.next_wake is None


async def test_a_request_may_get_less_time_than_it_had(tasks: Tasks) -> None:
    clock = VirtualClock()
    flights = InFlight(clock, tasks.spawn)

    async def hurried() -> bool:
        flight = flights.enter(100.0)
        flight.deadline = 1.0
        flights.watch(1.0)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.Event().wait()
        flights.leave(flight)
        return flight.overdue

    work = tasks.spawn(hurried())
    await clock.advance(1.0)
    assert work.result() is True
    await clock.advance(0.5)
    late = tasks.spawn(request(flights, 2.0, asyncio.Event()))
    await clock.advance(0.5)
    assert late.result() is True


async def test_draining_waits_for_what_is_in_flight(tasks: Tasks) -> None:
    clock, done = VirtualClock(), asyncio.Event()
    flights = InFlight(clock, tasks.spawn)
    work = tasks.spawn(request(flights, 100.0, done))
    await clock.settle()
    drain = tasks.spawn(flights.drain(10.0))
    await clock.advance(5.0)
    assert not drain.done()
    done.set()
    assert await drain is True
    assert work.result() is False


async def test_after_the_grace_the_rest_is_cancelled(tasks: Tasks) -> None:
    clock = VirtualClock()
    flights = InFlight(clock, tasks.spawn)
    work = tasks.spawn(request(flights, 100.0, asyncio.Event()))
    await clock.settle()
    drain = tasks.spawn(flights.drain(10.0))
    await clock.advance(11.0)
    assert await drain is False
    assert await work is True
    assert len(flights) == 0


async def test_who_comes_when_the_last_has_just_left_is_not_cancelled(tasks: Tasks) -> None:
    clock, done, later = VirtualClock(), asyncio.Event(), asyncio.Event()
    flights = InFlight(clock, tasks.spawn)

    async def two_on_one_connection() -> bool:
        await request(flights, 100.0, done)
        return await request(flights, 100.0, later)

    work = tasks.spawn(two_on_one_connection())
    await clock.settle()
    drain = tasks.spawn(flights.drain(10.0))
    await clock.settle()
    done.set()
    assert await drain is True
    later.set()
    assert await work is False


async def test_draining_nothing_ends_at_once(tasks: Tasks) -> None:
    flights = InFlight(VirtualClock(), tasks.spawn)
    assert await flights.drain(10.0) is True
    assert flights.closing.is_set()
