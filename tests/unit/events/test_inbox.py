"""The consumer: every event is in the end handled once or a dead letter, and never both."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import msgspec
import pytest

from ramet.errors import CommitUnknown, Refusal, StorageError, StorageRefused, Unavailable
from ramet.events.base import Delivery, Message
from ramet.events.headers import to_headers
from ramet.events.inbox import Consumer, Unreadable
from ramet.events.moments import Outcome
from ramet.events.outbox import publish_write
from ramet.events.policy import Retries
from ramet.events.tables import SCHEMA
from ramet.storage.base import Write
from ramet.telemetry.context import Caller, Context, current_context
from ramet.telemetry.scope import Scope, Work, current_scope
from tests.unit.events.bed import Act, Bed, bed, numbers, unit


class SoldOut(Refusal):
    """There is no more {sku}."""

    sku: str


def failing(times: int, error: BaseException, *, key: str | None = None) -> tuple[list[float], Act]:
    """An act that fails so many times for a key, and the list of its attempts."""
    tried: list[float] = []

    async def act(message: Message) -> None:
        if key is None or message.key == key:
            tried.append(message.at)
            if len(tried) <= times:
                raise error

    return tried, act


async def test_a_handler_runs_once_however_often_the_event_is_delivered(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        consumer = await it.subscribe()
        message = it.message(1)
        for again in (False, False, True):
            assert await consumer.deliver(Delivery(message, again)) is None
        assert await it.notes() == [1]
        assert [attempt.outcome for attempt in it.attempts] == [Outcome.HANDLED, Outcome.KNOWN, Outcome.KNOWN]


async def test_a_handler_whose_own_rows_are_there_already_has_handled_the_event_before(tmp_path: Path) -> None:
    tried: list[str] = []

    async def act(message: Message) -> None:
        tried.append(message.id)
        if len(tried) > 1:
            raise RuntimeError("a row with this key is there already")

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(act)
        message = it.message(1)
        for _ in range(2):  # stored twice by the broker, which does not know of it
            assert await consumer.deliver(Delivery(message)) is None
        assert len(tried) == 2
        assert [attempt.outcome for attempt in it.attempts] == [Outcome.HANDLED, Outcome.KNOWN]
        assert await it.operations.dead() == []


async def test_of_two_deliveries_at_the_same_time_one_is_committed(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def meet(_: Message) -> None:
        await gate.wait()

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(meet)
        message = it.message(1)
        both = [it.tasks.spawn(consumer.deliver(Delivery(message))) for _ in range(2)]
        await it.clock.settle()
        gate.set()
        assert await asyncio.gather(*both) == [None, None]
        assert await it.notes() == [1]


async def test_an_error_that_is_no_text_is_counted_too(tmp_path: Path) -> None:
    tried, act = failing(9, OSError("no file \udcff"))
    async with bed(tmp_path) as it:
        consumer = await it.subscribe(act, retries=Retries(attempts=2))
        assert await consumer.deliver(Delivery(message := it.message(1)))
        assert await consumer.deliver(Delivery(message)) is None
        assert len(tried) == 2
        assert [letter.error for letter in await it.operations.dead()] == ["OSError: no file \\udcff"]


async def test_a_handler_that_hangs_fails_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def hang(message: Message) -> None:
        if message.key == "stuck":
            await unit().execute("INSERT INTO note (consumer) VALUES ('billing.hang')")
            await asyncio.get_running_loop().create_future()

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(hang, retries=Retries(attempts=1, timeout_seconds=0.01))
        for message in (it.message(1, key="stuck"), it.message(2)):
            assert await consumer.deliver(Delivery(message)) is None
        assert await it.notes() == [2]
        assert [letter.error for letter in await it.operations.dead()] == ["TimeoutError: it took longer than 0.01 s"]


async def test_what_a_failing_handler_wrote_is_rolled_back(tmp_path: Path) -> None:
    async def write_and_fail(_: Message) -> None:
        await unit().execute("INSERT INTO note (consumer, payload) VALUES ('billing.note', '99')")
        raise RuntimeError("no")

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(write_and_fail)
        pause = await consumer.deliver(Delivery(it.message(1)))
        assert pause is not None
        assert await it.notes() == []


async def test_failures_are_retried_with_growing_pauses_and_then_buried(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        times: list[float] = []

        async def fail(_: Message) -> None:
            times.append(it.clock.time())
            raise RuntimeError("the printer is on fire")

        await it.subscribe(fail)
        await it.start()
        (event_id,) = await it.publish(1, key="a")
        await it.drain()
        assert len(times) == 8
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        for nominal, pause in zip((0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4), pauses, strict=True):
            assert nominal / 2 <= pause <= nominal
        (letter,) = await it.operations.dead()
        assert (letter.consumer, letter.event_id, letter.key, letter.attempts) == ("billing.note", event_id, "a", 8)
        assert letter.error == "RuntimeError: the printer is on fire"
        assert await it.operations.retrying() == []
        assert it.attempts[-1].outcome is Outcome.DEAD


async def test_a_poisoned_key_blocks_only_itself_and_goes_on_after_the_dead_letter(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        poisoned: list[str] = []

        async def fail(message: Message) -> None:
            if message.payload == b"1":
                raise RuntimeError("poison")

        await it.subscribe(fail)
        await it.start()
        poisoned += await it.publish(1, 2, 3, key="bad")
        await it.publish(4, 5, key="good")
        await it.clock.advance(1)
        assert await it.notes() == [4, 5]
        assert [retry.key for retry in await it.operations.retrying()] == ["bad"]
        await it.drain()
        assert await it.notes(key="bad") == [2, 3]
        assert [letter.event_id for letter in await it.operations.dead()] == poisoned[:1]


async def test_a_refusal_is_an_answer_and_not_retried(tmp_path: Path) -> None:
    tried, act = failing(100, SoldOut(sku="tea"))
    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await it.start()
        await it.publish(1)
        await it.drain()
        assert len(tried) == 1
        (letter,) = await it.operations.dead()
        assert letter.error == "refused: SoldOut: There is no more tea."


async def test_a_payload_that_cannot_be_read_is_a_dead_letter_at_once(tmp_path: Path) -> None:
    tried, act = failing(100, Unreadable("Expected `str`, got `int`"))
    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await it.start()
        await it.publish(1)
        await it.drain()
        assert len(tried) == 1
        (letter,) = await it.operations.dead()
        assert letter.error == "orders.Placed version 1 cannot be read: Expected `str`, got `int`"


@pytest.mark.parametrize(
    "error", [Unavailable("payments is down"), StorageRefused("it is read only"), CommitUnknown("it was lost")]
)
async def test_who_is_down_does_not_use_attempts_up(tmp_path: Path, error: Exception) -> None:
    tried, act = failing(20, error)
    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await it.start()
        await it.publish(1)
        await it.drain()
        assert len(tried) == 21
        assert await it.notes() == [1]
        assert await it.operations.dead() == []


async def test_a_neighbour_that_stays_down_is_waited_for_a_day(tmp_path: Path) -> None:
    _, act = failing(100_000, Unavailable("payments is down"))
    async with bed(tmp_path) as it:
        await it.subscribe(act, retries=Retries(longest_seconds=3600))
        await it.start()
        await it.publish(1)
        await it.clock.advance(23 * 3600)
        assert await it.operations.dead() == []
        await it.clock.advance(3 * 3600)
        assert len(await it.operations.dead()) == 1


async def test_attempts_go_on_counting_after_a_crash(tmp_path: Path) -> None:
    tried, act = failing(100, RuntimeError("no"))
    crashed = Bed(tmp_path)
    await crashed.open()
    await crashed.subscribe(act, retries=Retries(attempts=4))
    await crashed.start()
    await crashed.publish(1)

    async def tried_thrice() -> bool:
        return [retrying.attempts for retrying in await crashed.operations.retrying()] == [3]

    await crashed.until(tried_thrice)
    await crashed.abandon()
    async with bed(tmp_path) as it:
        await it.subscribe(act, retries=Retries(attempts=4))
        await it.start()
        await it.drain()
        assert len(tried) == 4
        assert [letter.attempts for letter in await it.operations.dead()] == [4]


async def test_a_dead_letter_is_not_delivered_again(tmp_path: Path) -> None:
    tried, act = failing(100, RuntimeError("no"))
    async with bed(tmp_path) as it:
        consumer = await it.subscribe(act, retries=Retries(attempts=1))
        message = it.message(1)
        assert await consumer.deliver(Delivery(message)) is None
        assert await consumer.deliver(Delivery(message, again=True)) is None
        assert len(tried) == 1
        assert len(await it.operations.dead()) == 1


async def test_an_event_published_by_a_handler_is_committed_with_it(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:

        async def answer(message: Message) -> None:
            unit().defer(publish_write(it.message(int(message.payload) + 100)))

        consumer = await it.subscribe(answer)
        message = it.message(1)
        for _ in range(2):
            await consumer.deliver(Delivery(message))
        assert await it.billing.fetch("SELECT payload FROM ramet_outbox") == [(b"101",)]


async def test_a_handler_works_in_the_context_of_whoever_published(tmp_path: Path) -> None:
    seen: list[tuple[Context | None, Scope | None]] = []

    async def look(_: Message) -> None:
        seen.append((current_context.get(), current_scope.get()))

    published = Context(
        execution="e", trace="t", caller=Caller(subject="ann", roles=frozenset({"admin"})), tenant="acme", region="eu"
    )
    async with bed(tmp_path) as it:
        consumer = await it.subscribe(look)
        await consumer.deliver(Delivery(msgspec.structs.replace(it.message(1), headers=to_headers(published))))
    ((context, scope),) = seen
    assert context is not None
    assert scope is not None
    assert (context.trace, context.caller, context.tenant, context.region) == ("t", published.caller, "acme", "eu")
    assert context.execution != "e"
    assert (scope.service, scope.work, scope.name) == ("billing", Work.HANDLER, "note")


async def test_two_consumers_of_one_event_have_keys_of_their_own(tmp_path: Path) -> None:
    keys: list[str | None] = []

    async def look(_: Message) -> None:
        scope = current_scope.get()
        keys.append(scope.key if scope is not None else None)

    async with bed(tmp_path) as it:
        message = it.message(1)
        for method in ("note", "tell"):
            consumer = await it.subscribe(look, method=method)
            await consumer.deliver(Delivery(message))
    assert keys == [f"billing.note/{message.id}", f"billing.tell/{message.id}"]


async def test_a_unique_key_of_the_services_own_is_an_ordinary_failure(tmp_path: Path) -> None:
    async def collide(_: Message) -> None:
        unit().defer(Write("INSERT INTO note (n, consumer) VALUES (?, ?)", [(7, "x"), (7, "x")]))

    async with bed(tmp_path) as it:
        consumer = await it.subscribe(collide)
        assert await consumer.deliver(Delivery(it.message(1))) is not None
        assert it.attempts[-1].outcome is Outcome.RETRIED


async def test_while_the_database_fails_nothing_is_lost(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        await it.start()
        await it.billing.write(Write("DROP TABLE ramet_retry", [()]), Write("ALTER TABLE note RENAME TO gone", [()]))
        await it.publish(1)
        await it.clock.advance(5)
        assert it.attempts[-1].outcome is Outcome.RETRIED
        mended = [Write(statement, [()]) for statement in SCHEMA]
        await it.billing.write(*mended, Write("ALTER TABLE gone RENAME TO note", [()]))
        await it.drain()
        assert await it.notes() == [1]


@pytest.mark.parametrize("error", [StorageError("the disk is full"), TimeoutError(), asyncio.CancelledError()])
async def test_any_other_error_is_tried_again(tmp_path: Path, error: BaseException) -> None:
    tried, act = failing(2, error)
    async with bed(tmp_path) as it:
        await it.subscribe(act)
        await it.start()
        await it.publish(*numbers(1))
        await it.drain()
        assert len(tried) == 3
        assert await it.notes() == [1]


async def test_attempts_that_another_process_has_made_count(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        it.billing.shared = True
        tried, act = failing(99, RuntimeError("broken"))
        here = await it.subscribe(act, retries=Retries(attempts=3))
        there = Consumer(
            here.name,
            it.noting(here.name, act),
            storage=it.billing,
            clock=it.clock,
            retries=Retries(attempts=3),
        )
        message = it.message(1)
        for _ in range(2):
            assert await here.deliver(Delivery(message)) is not None
        assert await there.deliver(Delivery(message, again=True)) is None
        assert len(tried) == 3
        (letter,) = await it.operations.dead()
        assert letter.attempts == 3
        assert await it.operations.retrying() == []
