"""What a caller's connection sends together, and whether the other side is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from ramet.clock import VirtualClock
from ramet.errors import DeadlineExceeded, InvalidArguments, OutcomeUnknown, Unavailable
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call
from ramet.transport.connection.calling import CallingConnection
from ramet.transport.options import MEBIBYTE, TransportOptions
from ramet.transport.wire.framing import PING, PONG, REQUESTS
from ramet.transport.wire.messages import Welcome
from ramet.transport.wire.protocol import AnswererWire, CallerWire


class Wire(asyncio.Transport):
    """Takes what is written, and answers pings where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answerer = AnswererWire(MEBIBYTE)
        self.connection: CallingConnection
        self.pings = self.pongs = 0
        self.frames: list[tuple[int, list[str]]] = []  # the number of the first, and what was called
        self.is_there = True

    def write(self, data: Any) -> None:
        for kind, number, value in self.answerer.receive(data):
            self.pings += kind == PING
            self.pongs += kind == PONG
            if kind == REQUESTS:
                self.frames.append((number, [call.method for call in value.calls]))
            if kind == PING and self.is_there:
                self.connection.data_received(self.answerer.pong(number))
            elif self.connection_is_new:
                welcome = Welcome(version=1, frame_limit_bytes=MEBIBYTE, calls_limit=99)
                self.connection.data_received(self.answerer.welcome(value, welcome, None, 0))
                self.connection_is_new = False

    connection_is_new = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.connection.connection_lost(None)


@pytest.fixture
async def held() -> AsyncIterator[tuple[CallingConnection, Wire, VirtualClock, Tasks]]:
    clock, tasks, wire = VirtualClock(), Tasks(), Wire()
    options = TransportOptions(name="edge/0")
    made = CallingConnection(CallerWire(MEBIBYTE), b"", "there", clock=clock, spawn=tasks.spawn, options=options)
    wire.connection = made
    made.connection_made(wire)
    assert made.usable
    yield made, wire, clock, tasks
    await tasks.stop()


Held = tuple[CallingConnection, Wire, VirtualClock, Tasks]


def call_of(method: str, clock: VirtualClock, arguments: bytes = b"", key: str | None = None) -> Call:
    return Call(method, arguments, Context.root("e", deadline=clock.monotonic() + 1000), key)


async def test_the_first_call_is_sent_at_once_and_those_that_gather_in_one_frame(held: Held) -> None:
    connection, wire, clock, _ = held
    names = [f"shop.{number}" for number in range(5)]
    for name in names:
        connection.begin(call_of(name, clock))
    assert wire.frames == [(1, names[:1])]
    await asyncio.sleep(0)
    assert wire.frames == [(1, names[:1]), (2, names[1:])]


async def test_one_that_cannot_be_sent_harms_nobody_it_was_to_leave_with(held: Held) -> None:
    connection, wire, clock, _ = held
    keys = {"shop.a": None, "shop.b": "b", "shop.c": "\udc80", "shop.d": "d"}
    begun = {name: connection.begin(call_of(name, clock, key=key)) for name, key in keys.items()}
    await asyncio.sleep(0)
    assert wire.frames == [(1, ["shop.a"]), (2, ["shop.b"]), (4, ["shop.d"])]
    with pytest.raises(InvalidArguments, match=r"^shop\.c: the call cannot be sent"):
        await begun["shop.c"]
    assert connection.in_flight == 3


async def test_one_that_cannot_be_sent_is_told_so_where_it_was_the_last_to_gather(held: Held) -> None:
    connection, _, clock, _ = held
    connection.begin(call_of("shop.a", clock))
    odd = connection.begin(call_of("shop.b", clock, b"x" * 4000, key="\udc80"))
    with pytest.raises(InvalidArguments):
        await odd


async def test_deadlines_are_looked_after_when_one_whose_time_was_up_could_not_be_sent(held: Held) -> None:
    connection, _, clock, _ = held

    def begin(name: str, seconds: float, key: str | None = None) -> Awaitable[bytes]:
        return connection.begin(Call(name, b"", Context.root("e", deadline=clock.monotonic() + seconds), key))

    soon, later = begin("shop.a", 0.01), begin("shop.b", 10)
    await clock.advance(0.03)
    begun = [begin("shop.c", 0.001), begin("shop.d", 0.001, "\udc80")]
    connection._overdue(clock.monotonic() + 0.01)  # before these have left
    for one, error in zip((soon, *begun), (DeadlineExceeded, DeadlineExceeded, InvalidArguments), strict=True):
        with pytest.raises(error):
            await one
    await clock.advance(20)
    with pytest.raises(DeadlineExceeded):
        await later


async def test_what_was_not_sent_is_known_when_the_connection_is_lost(held: Held) -> None:
    connection, _, clock, _ = held
    sent = [connection.begin(call_of("shop.a", clock)), connection.begin(call_of("shop.large", clock, b"x" * 5000))]
    kept = connection.begin(call_of("shop.b", clock))
    connection.connection_lost(None)
    for one in sent:
        with pytest.raises(OutcomeUnknown):
            await one
    with pytest.raises(Unavailable, match=r"^shop\.b was not sent"):
        await kept


async def test_an_idle_peer_is_asked_rarely_and_kept(held: Held) -> None:
    connection, wire, clock, _ = held
    await clock.advance(60)
    assert 9 <= wire.pings <= 12
    assert connection.usable


async def test_who_is_in_the_middle_of_a_frame_says_that_he_takes_it(held: Held) -> None:
    connection, wire, clock, _ = held
    connection.begin(call_of("shop.wait", clock))
    frame = wire.answerer.reply(1, b"x" * 100)
    for at in range(10):
        connection.data_received(frame[at : at + 1])
        await clock.advance(1.0)
    assert 9 <= wire.pongs <= 10
    assert wire.pings == 0
    connection.data_received(frame[10:])
    wire.pongs = 0
    await clock.advance(10.0)
    assert wire.pongs == 0


async def test_an_idle_peer_that_is_silent_is_found_out(held: Held) -> None:
    connection, wire, clock, _ = held
    wire.is_there = False
    await clock.advance(9)
    assert not connection.usable
    await clock.advance(5)
    assert connection.lost.done()


async def test_a_peer_that_somebody_waits_for_is_asked_often(held: Held) -> None:
    connection, wire, clock, tasks = held
    call = Call("shop.ask", b"", Context.root("e", deadline=clock.monotonic() + 1000))
    asking = tasks.spawn(connection.call(call))
    await clock.advance(10)
    assert wire.pings >= 4
    wire.is_there = False
    await clock.advance(4)
    assert not connection.usable
    asking.cancel()
