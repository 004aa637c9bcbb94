"""Whether the other side is there: asked often while somebody waits for it, else rarely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ramet.clock import VirtualClock
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call
from ramet.transport.connection.calling import CallingConnection
from ramet.transport.options import MEBIBYTE, TransportOptions
from ramet.transport.wire.framing import PING
from ramet.transport.wire.messages import Welcome
from ramet.transport.wire.protocol import AnswererWire, CallerWire


class Wire(asyncio.Transport):
    """Takes what is written, and answers pings where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answerer = AnswererWire(MEBIBYTE)
        self.connection: CallingConnection
        self.pings = 0
        self.is_there = True

    def write(self, data: Any) -> None:
        for kind, number, value in self.answerer.receive(data):
            self.pings += kind == PING
            if kind == PING and self.is_there:
                self.connection.data_received(self.answerer.pong(number))
            elif self.connection_is_new:
                welcome = Welcome(version=1, frame_limit_bytes=MEBIBYTE, calls_limit=9)
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


async def test_an_idle_peer_is_asked_rarely_and_kept(held: Held) -> None:
    connection, wire, clock, _ = held
    await clock.advance(60)
    assert 9 <= wire.pings <= 12
    assert connection.usable


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
