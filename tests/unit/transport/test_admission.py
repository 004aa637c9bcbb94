"""Too much work is refused at once, so that what is taken in is answered in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ramet.clock import VirtualClock
from ramet.errors import Overloaded
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.admission import Admission
from ramet.transport.base import Call, Peer, Serve
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.policy.moments import Decision, Moment

PEER = Peer("somebody")
SERVERS, SERVICE_SECONDS, DEADLINE_SECONDS, DURATION_SECONDS = 10, 0.1, 0.5, 2.0
CAPACITY = SERVERS / SERVICE_SECONDS


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.stop()


def call(clock: VirtualClock, seconds: float = 5.0) -> Call:
    return Call("pay.charge", b"", Context.root("1", deadline=clock.monotonic() + seconds))


class Gated:
    """Answers when it is told."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = 0

    async def __call__(self, call: Call, peer: Peer) -> bytes:
        self.begun += 1
        await self.gate.wait()
        return b"answer"


async def test_what_exceeds_places_and_queue_is_refused_at_once(tasks: Tasks) -> None:
    clock, answer, told = VirtualClock(), Gated(), list[Moment]()
    admission = Admission(answer, clock=clock, policy=Bulkhead(concurrency=2, queue=1), hook=told.append)
    running = [tasks.spawn(admission(call(clock), PEER)) for _ in range(3)]
    await clock.settle()
    with pytest.raises(Overloaded, match="2 calls are in flight, and 1 wait") as refused:
        await admission(call(clock), PEER)
    assert told == [Moment(decision=Decision.REFUSED, method="pay.charge", reason=str(refused.value))]
    answer.gate.set()
    assert await asyncio.gather(*running) == [b"answer"] * 3
    assert admission.running == 0


async def test_who_is_refused_after_a_wait_is_told_that_it_has_waited(tasks: Tasks) -> None:
    clock, answer = VirtualClock(), Gated()
    admission = Admission(answer, clock=clock, policy=Bulkhead(concurrency=2, queue=5))
    running = [tasks.spawn(admission(call(clock), PEER)) for _ in range(3)]
    await clock.advance(1)
    answer.gate.set()
    *answers, refused = await asyncio.gather(*running, return_exceptions=True)
    assert answers == [b"answer"] * 2
    assert str(refused) == (
        "pay.charge was refused: it has waited for too long behind the 2 calls that are answered at a time."
    )


async def test_the_log_says_once_in_a_while_how_many_were_refused(
    tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    clock, answer = VirtualClock(), Gated()
    admission = Admission(answer, clock=clock, policy=Bulkhead(concurrency=1, queue=0))
    running = tasks.spawn(admission(call(clock), PEER))
    await clock.settle()
    for pause in (0.0, 1.0, 1.0, 10.0):
        await clock.advance(pause)
        with pytest.raises(Overloaded):
            await admission(call(clock), PEER)
    assert [message.partition("So were ")[2][:1] for message in caplog.messages] == ["1", "3"]
    answer.gate.set()
    await running


async def test_a_call_that_is_cancelled_while_it_waits_leaves_its_place_to_the_next(tasks: Tasks) -> None:
    clock, answer = VirtualClock(), Gated()
    admission = Admission(answer, clock=clock, policy=Bulkhead(concurrency=1, queue=5))
    inside, waiting, last = (tasks.spawn(admission(call(clock), PEER)) for _ in range(3))
    await clock.settle()
    waiting.cancel()
    answer.gate.set()
    assert await asyncio.gather(inside, last) == [b"answer"] * 2
    assert (answer.begun, admission.running) == (2, 0)


async def test_a_place_that_comes_with_a_cancellation_is_not_lost(tasks: Tasks) -> None:
    clock, answer = VirtualClock(), Gated()
    admission = Admission(answer, clock=clock, policy=Bulkhead(concurrency=1, queue=5))
    inside, waiting = (tasks.spawn(admission(call(clock), PEER)) for _ in range(2))
    await clock.settle()
    inside.cancel()
    await asyncio.sleep(0)
    waiting.cancel()
    await clock.settle()
    answer.gate.set()
    assert await admission(call(clock), PEER) == b"answer"
    assert admission.running == 0


async def test_a_call_that_waited_too_long_is_refused(tasks: Tasks) -> None:
    clock, answer = VirtualClock(), Gated()
    admission = Admission(answer, clock=clock, policy=Bulkhead(concurrency=1, queue=5))
    tasks.spawn(admission(call(clock), PEER))
    late = tasks.spawn(admission(call(clock), PEER))
    await clock.advance(1)
    tasks.spawn(admission(call(clock), PEER))
    await clock.settle()
    with pytest.raises(Overloaded):
        await late


class Workshop:
    """A resource of a few servers, each of which needs a while: whoever comes waits in line for it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._servers = asyncio.Semaphore(SERVERS)

    async def __call__(self, call: Call, peer: Peer) -> bytes:
        async with self._servers:
            await self._clock.sleep(SERVICE_SECONDS)
        return b"done"


async def goodput(clock: VirtualClock, answer: Serve, load: float, tasks: Tasks) -> float:
    """Answers in time for each second, of calls that come by chance at `load` times the capacity."""
    in_time = 0

    async def one() -> None:
        nonlocal in_time
        asked = call(clock, DEADLINE_SECONDS)
        try:
            await answer(asked, PEER)
        except Overloaded:
            return
        in_time += clock.monotonic() <= asked.context.deadline

    while clock.monotonic() < DURATION_SECONDS:
        tasks.spawn(one())
        await clock.advance(2 * clock.random() / (CAPACITY * load))
    return in_time / DURATION_SECONDS


@pytest.mark.parametrize("load", [1.5, 3.0])
async def test_goodput_stays_flat_however_much_more_than_the_capacity_comes(tasks: Tasks, load: float) -> None:
    clock = VirtualClock()
    admission = Admission(Workshop(clock), clock=clock, policy=Bulkhead(concurrency=SERVERS, queue=100))
    assert await goodput(clock, admission, load, tasks) >= 0.9 * CAPACITY


async def test_without_admission_goodput_collapses(tasks: Tasks) -> None:
    clock = VirtualClock()
    assert await goodput(clock, Workshop(clock), 3.0, tasks) < 0.5 * CAPACITY
