"""Lanes: order within a key, none between keys, bounded work, bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ramet.clock import VirtualClock
from ramet.events.base import Deliver, Delivery, Message
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.stop()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def lanes(tasks: Tasks, clock: VirtualClock) -> Callable[..., Lanes]:
    def make(deliver: Deliver, *, concurrency: int = 100, capacity: int = 1000) -> Lanes:
        return Lanes(deliver, spawn=tasks.spawn, clock=clock, concurrency=concurrency, capacity=capacity)

    return make


def nothing() -> None:
    """For whoever does not wait."""


def delivery(name: str, key: str | None = None) -> Delivery:
    return Delivery(Message(id=name, topic="orders.Placed", key=key))


async def test_at_most_so_many_run_at_a_time(lanes: Callable[..., Lanes], clock: VirtualClock) -> None:
    running = most = 0

    async def deliver(_: Delivery) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    made = lanes(deliver, concurrency=3)
    for number in range(20):
        made.put(delivery(str(number)), nothing)
    await clock.settle(100)
    assert (most, made.pending) == (3, 0)


async def test_who_waits_for_a_retry_occupies_no_worker(lanes: Callable[..., Lanes], clock: VirtualClock) -> None:
    handled: list[str] = []

    async def deliver(of: Delivery) -> float | None:
        if of.message.key == "bad":
            return 10.0
        handled.append(of.message.id)
        return None

    made = lanes(deliver, concurrency=1)
    made.put(delivery("1", "bad"), nothing)
    made.put(delivery("2", "good"), nothing)
    await clock.settle()
    assert handled == ["2"]


async def test_no_key_has_more_than_its_turn(lanes: Callable[..., Lanes], clock: VirtualClock) -> None:
    order: list[str] = []

    async def deliver(of: Delivery) -> None:
        order.append(of.message.id)

    made = lanes(deliver, concurrency=1)
    for name in ("a1", "a2", "a3", "b1", "b2"):
        made.put(delivery(name, name[0]), nothing)
    await clock.settle()
    assert order == ["a1", "b1", "a2", "b2", "a3"]


async def test_there_is_room_again_when_half_is_done(
    lanes: Callable[..., Lanes], clock: VirtualClock, tasks: Tasks
) -> None:
    gates = {str(number): asyncio.Event() for number in range(4)}

    async def deliver(of: Delivery) -> None:
        await gates[of.message.id].wait()

    made = lanes(deliver, capacity=4)
    assert await made.room() == 4
    for name in gates:
        made.put(delivery(name), nothing)
    asking = tasks.spawn(made.room())
    for name in ("0", "1"):
        await clock.settle()
        assert not asking.done()
        gates[name].set()
    assert await asking == 2


async def test_a_defect_of_the_consumer_loses_nothing(lanes: Callable[..., Lanes], clock: VirtualClock) -> None:
    attempts: list[str] = []
    done: list[str] = []

    async def deliver(of: Delivery) -> None:
        attempts.append(of.message.id)
        if len(attempts) == 1:
            raise RuntimeError("a defect")

    made = lanes(deliver)
    made.put(delivery("1", "a"), lambda: done.append("1"))
    made.put(delivery("2", "a"), lambda: done.append("2"))
    await clock.settle()
    assert done == []
    await clock.advance(1)
    assert (attempts, done) == (["1", "1", "2"], ["1", "2"])


async def test_closing_does_not_wait_for_ever(clock: VirtualClock, tasks: Tasks) -> None:
    begun = asyncio.Event()

    async def deliver(_: Delivery) -> None:
        begun.set()
        await asyncio.Event().wait()

    made = Lanes(deliver, spawn=tasks.spawn, clock=clock, patience_seconds=0.01)
    made.put(delivery("1"), nothing)
    await begun.wait()
    await made.close()
    assert made.pending == 1


async def test_closing_finishes_what_runs_and_begins_nothing(
    lanes: Callable[..., Lanes], clock: VirtualClock, tasks: Tasks
) -> None:
    gate = asyncio.Event()
    begun: list[str] = []
    done: list[str] = []

    async def deliver(of: Delivery) -> float | None:
        begun.append(of.message.id)
        if of.message.id == "later":
            return 5.0
        await gate.wait()
        return None

    made = lanes(deliver)
    made.put(delivery("later"), lambda: done.append("later"))
    made.put(delivery("1", "a"), lambda: done.append("1"))
    made.put(delivery("2", "a"), lambda: done.append("2"))
    await clock.settle()
    closing = tasks.spawn(made.close())
    await clock.settle()
    assert not closing.done()
    gate.set()
    await closing
    made.put(delivery("3"), lambda: done.append("3"))
    await clock.advance(10)
    assert (begun, done) == (["later", "1"], ["1"])
