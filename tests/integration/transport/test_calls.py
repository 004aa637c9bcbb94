"""Calls over real sockets: what travels, in which time, and how much of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from ramet.errors import (
    CallError,
    DeadlineExceeded,
    InternalError,
    InvalidArguments,
    OutcomeUnknown,
    Overloaded,
)
from ramet.telemetry.context import Caller, Context
from ramet.transport.base import Call
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.policy.moments import Decision, Moment
from tests.integration.transport.bed import KINDS, Bed, until

kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
async def test_a_call_is_answered(bed: Bed, kind: str) -> None:
    await bed.start(kind)
    channel = await bed.dial()
    assert await channel.call(bed.call("echo", b"hello")) == b"hello"
    assert bed.address.startswith(kind)
    assert bed.shop.peers == {"orders-0"}
    await channel.close()


@kinds
async def test_megabytes_travel_both_ways(bed: Bed, kind: str) -> None:
    await bed.start(kind)
    channel = await bed.dial()
    body = bytes(range(256)) * 16_000
    answers = await asyncio.gather(*(channel.call(bed.call("echo", body)) for _ in range(8)))
    assert all(answer == body for answer in answers)
    await channel.close()


@kinds
async def test_many_calls_at_once_get_each_its_own_answer(bed: Bed, kind: str) -> None:
    await bed.start(kind)
    channel = await bed.dial()
    asked = [(b"%d" % number, "turn" if number % 3 else "echo") for number in range(500)]
    answers = await asyncio.gather(*(channel.call(bed.call(method, body)) for body, method in asked))
    assert answers == [body for body, _ in asked]
    assert channel.in_flight == 0
    await channel.close()


async def test_an_answer_does_not_wait_for_one_that_was_asked_before(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    slow = bed.tasks.spawn(channel.call(bed.call("wait", b"slow")))
    await bed.shop.arrived.wait()
    assert await channel.call(bed.call("echo", b"quick")) == b"quick"
    bed.shop.gate.set()
    assert await slow == b"slow"
    await channel.close()


async def test_everything_about_a_call_travels(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    caller = Caller(subject="ada", tenant="acme", roles=frozenset({"admin"}))
    context = Context(
        execution="e",
        trace="t",
        deadline=bed.clock.monotonic() + 20,
        caller=caller,
        tenant="acme",
        region="eu",
        baggage={"flag": "on"},
    )
    await channel.call(Call("shop.echo", b"", context, "key", withdraw=True))
    (seen,) = bed.shop.seen
    assert seen.context.deadline >= context.deadline
    assert replace(seen, context=context) == Call("shop.echo", b"", context, "key", withdraw=True)
    await channel.close()


async def test_the_callee_is_cancelled_when_its_time_is_up(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial(clock=bed.patient)
    with pytest.raises(DeadlineExceeded, match="was not done in time"):
        await channel.call(bed.call("wait", seconds=0.05))
    assert bed.shop.left.is_set()


async def test_the_caller_waits_no_longer_than_its_deadline(bed: Bed) -> None:
    await bed.start(clock=bed.patient)
    channel = await bed.dial()
    with pytest.raises(DeadlineExceeded, match="did not answer in time"):
        await channel.call(bed.call("wait", seconds=0.05))
    await bed.shop.left.wait()  # it was told that nobody waits any more
    assert channel.in_flight == 0
    await channel.close()


async def test_a_call_whose_time_is_up_already_is_not_sent(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    with pytest.raises(DeadlineExceeded, match="before the call was sent"):
        await channel.call(bed.call("echo", seconds=-1))
    assert not bed.shop.seen
    await channel.close()


@kinds
async def test_a_cancelled_caller_cancels_the_callee(bed: Bed, kind: str) -> None:
    await bed.start(kind)
    channel = await bed.dial()
    asking = bed.tasks.spawn(channel.call(bed.call("wait")))
    await bed.shop.arrived.wait()
    asking.cancel()
    await bed.shop.left.wait()
    assert channel.in_flight == 0
    assert await channel.call(bed.call("echo", b"still here")) == b"still here"
    await channel.close()


async def test_calls_that_are_cancelled_before_they_have_begun_leave_nothing_behind(bed: Bed) -> None:
    server = await bed.start(calls_limit=4)
    channel = await bed.dial()
    for _ in range(40):
        asking = [bed.tasks.spawn(channel.call(bed.call("turn"))) for _ in range(4)]
        await asyncio.sleep(0)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert await channel.call(bed.call("turn", b"x")) == b"x"
    (connection,) = server._connections
    await until(lambda: connection.in_flight == 0)
    await channel.close()


async def test_a_call_that_is_too_large_is_refused_before_it_is_sent(bed: Bed) -> None:
    await bed.start(frame_limit_bytes=10_000)
    channel = await bed.dial()
    with pytest.raises(InvalidArguments, match="10000 are the most"):
        await channel.call(bed.call("echo", b"x" * 10_000))
    assert not bed.shop.seen
    assert await channel.call(bed.call("echo", b"small")) == b"small"
    await channel.close()


async def test_an_answer_that_is_too_large_is_an_error_that_says_it_was_executed(bed: Bed) -> None:
    await bed.start(frame_limit_bytes=10_000)
    channel = await bed.dial()
    with pytest.raises(CallError, match=r"it was executed, but its answer of 10001 bytes") as caught:
        await channel.call(bed.call("large", b"10001"))
    assert type(caught.value) is CallError
    assert len(await channel.call(bed.call("large", b"10000"))) == 10_000
    await channel.close()


async def test_more_calls_than_the_server_takes_are_refused_by_the_caller_itself(bed: Bed) -> None:
    await bed.start(calls_limit=2)
    channel = await bed.dial()
    waiting = [bed.tasks.spawn(channel.call(bed.call("wait", b"x"))) for _ in range(2)]
    await until(lambda: len(bed.shop.seen) == 2)
    with pytest.raises(Overloaded, match=r"2 calls to .* are in flight already"):
        await channel.call(bed.call("echo"))
    bed.shop.gate.set()
    assert await asyncio.gather(*waiting) == [b"x", b"x"]
    assert await channel.call(bed.call("echo", b"again")) == b"again"
    await channel.close()


async def test_a_caller_that_does_not_mind_is_refused_by_the_server(bed: Bed) -> None:
    await bed.start(calls_limit=2)
    channel = await bed.dial()
    channel._limit = 1000
    asking = [bed.tasks.spawn(channel.call(bed.call("wait", b"x"))) for _ in range(3)]
    with pytest.raises(Overloaded, match="too much is in flight"):
        await asking[2]
    bed.shop.gate.set()
    assert await asyncio.gather(*asking[:2]) == [b"x", b"x"]
    await channel.close()


async def test_more_calls_than_the_bulkhead_lets_in_wait_for_a_place_or_are_refused(bed: Bed) -> None:
    told: list[Moment] = []
    await bed.start(bulkhead=Bulkhead(concurrency=1, queue=1, interval_seconds=60.0), hook=told.append)
    channels = [await bed.dial(), await bed.dial()]
    inside = bed.tasks.spawn(channels[0].call(bed.call("wait", b"inside")))
    await bed.shop.arrived.wait()
    queued = bed.tasks.spawn(channels[1].call(bed.call("echo", b"queued")))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="1 calls are in flight, and 1 wait"):
        await channels[1].call(bed.call("echo"))
    assert [(one.decision, one.method) for one in told] == [(Decision.REFUSED, "shop.echo")]
    assert not queued.done()
    bed.shop.gate.set()
    assert await asyncio.gather(inside, queued) == [b"inside", b"queued"]
    assert await channels[0].call(bed.call("echo", b"again")) == b"again"
    for channel in channels:
        await channel.close()


@pytest.mark.parametrize("usually_waits", [False, True])
async def test_a_place_is_free_again_whatever_became_of_who_had_it(bed: Bed, *, usually_waits: bool) -> None:
    server = await bed.start(bulkhead=Bulkhead(concurrency=1, queue=100, interval_seconds=60.0))
    channel = await bed.dial()
    for _ in range(20 if usually_waits else 0):
        await channel.call(bed.call("turn"))
    for end in (bed.call("wait"), bed.call("turn"), bed.call("fail"), bed.call("give_up")):
        ended = [bed.tasks.spawn(channel.call(end)) for _ in range(3)]
        await asyncio.sleep(0)
        for caller in ended[:2]:
            caller.cancel()
        bed.shop.gate.set()
        await asyncio.gather(*ended, return_exceptions=True)
    await channel.close()
    await server.drain(1.0)
    assert server._admission is not None
    assert server._admission.running == 0


async def test_who_waits_at_a_bulkhead_of_some_methods_keeps_nobody_else_waiting(bed: Bed) -> None:
    small = Bulkhead(concurrency=1, queue=2, interval_seconds=60.0)
    server = await bed.start(bulkhead=Bulkhead(concurrency=2), bulkheads=((small, ("shop.wait", "shop.turn")),))
    channel = await bed.dial()
    slow = [bed.tasks.spawn(channel.call(bed.call("wait", b"slow"))) for _ in range(3)]
    await bed.shop.arrived.wait()
    with pytest.raises(Overloaded, match=r"shop\.turn was refused: 1 calls are in flight, and 2 wait"):
        await channel.call(bed.call("turn"))
    assert await channel.call(bed.call("later", b"quick")) == b"quick"
    bed.shop.gate.set()
    assert await asyncio.gather(*slow) == [b"slow"] * 3
    await channel.close()
    assert {admission.running for admission in (server._admission, *server._admissions.values()) if admission} == {0}


@pytest.mark.parametrize("in_context", [False, True])
async def test_more_bytes_than_the_server_keeps_are_refused(bed: Bed, *, in_context: bool) -> None:
    await bed.start(calls_limit_bytes=100_000)
    channel = await bed.dial()
    large = bed.call("wait", b"x" * 200_000)
    if in_context:
        small = bed.call("wait")
        large = replace(small, context=replace(small.context, baggage={"flag": "x" * 200_000}))
    waiting = bed.tasks.spawn(channel.call(large))
    await bed.shop.arrived.wait()
    with pytest.raises(Overloaded):
        await channel.call(bed.call("echo"))
    bed.shop.gate.set()
    await waiting
    assert await channel.call(bed.call("echo", b"again")) == b"again"
    await channel.close()


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING):
        yield caplog


async def test_a_defect_is_an_id_for_the_caller_and_the_rest_for_the_log(
    bed: Bed, records: pytest.LogCaptureFixture
) -> None:
    await bed.start()
    channel = await bed.dial()
    with pytest.raises(InternalError) as caught:
        await channel.call(bed.call("fail"))
    assert caught.value.where == "shop.fail"
    assert "a defect" not in str(caught.value)
    assert caught.value.id in records.text
    assert "a defect" in records.text
    await channel.close()


async def test_who_wants_to_end_the_process_fails_and_the_others_of_its_frame_are_answered(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    calls = [bed.call(method, b"x") for method in ("turn", "leave", "turn", "echo")]
    waits, leaves, *others = await asyncio.gather(*map(channel.call, calls), return_exceptions=True)
    assert [waits, *others] == [b"x"] * 3
    assert isinstance(leaves, InternalError)
    await channel.close()


async def test_an_answer_that_was_cancelled_by_nobody_who_asked_is_of_unknown_outcome(bed: Bed) -> None:
    await bed.start()
    channel = await bed.dial()
    with pytest.raises(OutcomeUnknown, match="was cancelled while it was executed"):
        await channel.call(bed.call("give_up"))
    await channel.close()


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_large_bodies_are_compressed_on_links_that_want_it(bed: Bed, kind: str) -> None:
    await bed.start(kind, compress_loopback=True)
    plain, compressing = await bed.dial(), await bed.dial(compress_loopback=True)
    written = {}
    for channel in (plain, compressing):
        frame = channel._wire.request(1, bed.call("echo", b"x" * 50_000), bed.clock.monotonic())
        written[channel] = len(frame)
        assert await channel.call(bed.call("echo", b"x" * 50_000)) == b"x" * 50_000
    assert written[plain] > 50_000
    assert written[compressing] < 1000
    await plain.close()
    await compressing.close()


async def test_nothing_is_compressed_on_unix_sockets_and_loopback(bed: Bed) -> None:
    for kind in ("unix", "tcp"):
        await bed.start(kind)
        channel = await bed.dial()
        assert channel._wire._compression is None
        await channel.close()
