"""Events handled together: the same as each by itself, in fewer transactions."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from ramet.errors import Refusal
from ramet.events.base import Message
from ramet.events.moments import Outcome
from ramet.storage.lots.watching import SINGLY
from ramet.telemetry.scope import current_scope, may_call_command
from tests.unit.events.bed import Bed, bed, numbers

MANY = 60


class No(Refusal):
    """A refusal."""


async def warm(it: Bed) -> None:
    """The first event shows what the handler does."""
    await it.start()
    await it.publish(0)
    await it.noted(1)


async def test_what_has_gathered_is_one_transaction(tmp_path: Path) -> None:
    units: set[int] = set()

    async def act(_: Message) -> None:
        scope = current_scope.get()
        assert scope is not None
        units.add(id(scope.unit))

    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await warm(it)
        units.clear()
        await it.publish(*numbers(MANY), key="a")
        await it.noted(MANY + 1)
        assert await it.notes(key="a") == list(numbers(MANY))
        assert len(units) < MANY / 4
        assert Counter(attempt.outcome for attempt in it.attempts) == {Outcome.HANDLED: MANY + 1}


async def test_one_that_fails_is_tried_again_and_the_others_are_handled_once(tmp_path: Path) -> None:
    attempts: Counter[int] = Counter()

    async def act(message: Message) -> None:
        number = int(message.payload)
        attempts[number] += 1
        if number == 30 and attempts[number] < 3:
            raise RuntimeError("not yet")

    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await warm(it)
        for number in numbers(MANY):
            await it.publish(number, key=f"k{number % 7}")
        await it.drain()
        notes = await it.notes()
        assert sorted(notes) == list(range(MANY + 1))
        for key in range(7):
            of_key = await it.notes(key=f"k{key}")
            assert of_key == sorted(of_key)
        assert attempts[30] == 3
        assert max(count for number, count in attempts.items() if number != 30) <= 2


async def test_a_refused_one_is_a_dead_letter_and_no_other(tmp_path: Path) -> None:
    async def act(message: Message) -> None:
        if message.payload == b"30":
            raise No

    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await warm(it)
        await it.publish(*numbers(MANY), key="a")
        await it.drain()
        assert await it.notes(key="a") == [number for number in numbers(MANY) if number != 30]
        letters = await it.billing.fetch("SELECT payload FROM ramet_dead_letter")
        assert letters == [(b"30",)]


async def test_after_a_failure_each_is_handled_by_itself_for_a_while(tmp_path: Path) -> None:
    async def act(message: Message) -> None:
        if message.payload == b"3":
            raise No

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(act)
        lanes = it.consumers[consumer.name][1]
        await warm(it)
        await it.publish(*numbers(6), key="a")
        await it.drain()
        assert lanes.deliverer.most == 1
        await it.publish(*numbers(SINGLY), key="b")
        await it.drain()
        assert lanes.deliverer.most > 1


async def test_who_waits_for_something_else_is_alone_from_then_on(tmp_path: Path) -> None:
    waiting, entered, handled_again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def act(message: Message) -> None:
        if message.payload == b"9" and entered.is_set():
            handled_again.set()
        if message.payload == b"5":
            entered.set()
            await waiting.wait()

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(act)
        await warm(it)
        await it.publish(*numbers(9))
        async with asyncio.timeout(10):
            await entered.wait()
            await handled_again.wait()  # the transaction of all was given up
        assert consumer.way.solitary
        waiting.set()
        await it.drain()
        assert sorted(await it.notes()) == list(range(10))


async def test_a_command_is_called_with_nobody_elses_writes_at_stake(tmp_path: Path) -> None:
    alone: list[bool] = []

    async def act(message: Message) -> None:
        if message.payload == b"5":
            scope = may_call_command("billing", "stock.reserve")
            alone.append(not scope.joint)

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(act)
        await warm(it)
        await it.publish(*numbers(9), key="a")
        await it.drain()
        assert await it.notes(key="a") == list(numbers(9))
        assert alone == [True]
        assert consumer.way.solitary


async def test_what_is_redelivered_after_a_crash_is_looked_up_together(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        await warm(it)
        await it.publish(*numbers(MANY), key="a")
        await it.drain()
    async with bed(tmp_path) as it:
        await it.subscribe()
        await it.orders.fetch("SELECT 1")
        unit = it.orders.unit()
        await unit.execute("UPDATE ramet_outbox SET sent_at = NULL")
        await unit.commit()
        await it.start()
        await it.drain()
        assert await it.notes(key="a") == list(numbers(MANY))
        assert {attempt.outcome for attempt in it.attempts} == {Outcome.KNOWN}
