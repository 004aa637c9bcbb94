"""The calling side of one transport: latency at 1 in flight, calls a second at 1, 16, 64, and of 100 KB at 16."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from time import clock_gettime, perf_counter, process_time
from typing import Any

import aiohttp
import grpc
import httpx
import nats
import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.transport_asked import ANSWER, LARGE, METHOD, SECONDS, SMALL
from benchmarks.machine import pin
from ramet.clock import SystemClock
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call, Endpoint
from ramet.transport.client import dial
from ramet.transport.framing import HEAD_BYTES
from ramet.transport.options import Tls, TransportOptions
from ramet.transport.wire_messages import write_request

BAGGAGE = {"flag": "on"}
Ask = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def _ramet(address: str, folder: str) -> AsyncIterator[Ask]:
    clock, tasks = SystemClock(), Tasks()
    options = TransportOptions(application="bench", tls=Tls(authority=Path(folder) / "s.crt"))
    endpoint = Endpoint(address=address, group="bench")
    channel = await dial(endpoint, token=None, clock=clock, spawn=tasks.spawn, options=options)
    trace = clock.id()
    yield lambda what: channel.call(_call(clock, trace, what))
    await channel.close()


def _call(clock: SystemClock, trace: str, what: bytes) -> Call:
    """With all that a call carries: a deadline, a tenant, a trace, baggage and a key."""
    context = Context(
        execution=clock.id(), trace=trace, deadline=clock.monotonic() + SECONDS, tenant="acme", baggage=BAGGAGE
    )
    return Call(METHOD, what, context, context.execution)


class _Echoed(asyncio.Protocol):
    """One request at a time over a bare protocol."""

    answered: asyncio.Future[bytes]

    def data_received(self, data: bytes) -> None:
        self.answered.set_result(data)


@asynccontextmanager
async def _echo(address: str, _: str) -> AsyncIterator[Ask]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_unix_connection(_Echoed, address)
    transport.set_write_buffer_limits(0)
    clock = SystemClock()
    frame = write_request(_call(clock, clock.id(), SMALL), SECONDS)
    padding = b"." * (HEAD_BYTES + len(frame) - len(SMALL))

    async def ask(what: bytes) -> bytes:
        protocol.answered = loop.create_future()
        transport.write(padding + what)
        return (await protocol.answered)[len(padding) :]

    yield ask
    transport.close()


@asynccontextmanager
async def _grpc(address: str, _: str) -> AsyncIterator[Ask]:
    async with grpc.aio.insecure_channel(address) as channel:
        level = channel.unary_unary("/Stock/Level")
        yield lambda what: level(what, timeout=SECONDS)


@asynccontextmanager
async def _aiohttp(address: str, _: str) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as session:

        async def ask(what: bytes) -> bytes:
            async with session.post(address, data=what) as response:
                return await response.read()

        yield ask


@asynccontextmanager
async def _httpx(address: str, _: str) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(timeout=60) as client:

        async def ask(what: bytes) -> bytes:
            return (await client.post(address, content=what)).content

        yield ask


@asynccontextmanager
async def _nats(address: str, _: str) -> AsyncIterator[Ask]:
    connection = await nats.connect(address)

    async def ask(what: bytes) -> bytes:
        return bytes((await connection.request("stock.level", what, timeout=SECONDS)).data)

    yield ask
    await connection.close()


CLIENTS = {"ramet": _ramet, "echo": _echo, "grpc": _grpc, "aiohttp": _aiohttp, "httpx": _httpx, "nats": _nats}


async def _at(ask: Ask, what: bytes, workers: int, seconds: float) -> tuple[float, list[float], int]:
    """Calls a second, how long each took, and how many there were."""
    taken: list[float] = []
    end = perf_counter() + seconds

    async def work() -> None:
        while (begun := perf_counter()) < end:
            await ask(what)
            taken.append(perf_counter() - begun)

    began = perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return len(taken) / (perf_counter() - began), taken, len(taken)


def _used(server: int) -> float:
    """Processor seconds of this process and of the server with this id (Linux: the clock of another process)."""
    return process_time() + clock_gettime((~server << 3) | 2)


async def load(address: str, client: str, server: int, certified: str, seconds: float) -> dict[str, float]:
    """The figures of one transport; `cpu_64` are microseconds of both sides' processors for a call."""
    async with CLIENTS[client](address, certified) as ask:
        assert await ask(SMALL) == SMALL
        await _at(ask, SMALL, 1, seconds / 4)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        rate, taken, _ = await _at(ask, SMALL, 1, seconds)
        points = quantiles(taken, n=100)
        figures = {"p50": points[49] * 1e6, "p99": points[98] * 1e6, "rps_1": rate}
        if client == "echo":
            return figures
        assert await ask(LARGE) == ANSWER
        figures["rps_16"], _, _ = await _at(ask, SMALL, 16, seconds)
        used = _used(server)
        figures["rps_64"], _, calls = await _at(ask, SMALL, 64, seconds)
        figures["cpu_64"] = (_used(server) - used) / calls * 1e6
        figures["large_rps"], _, _ = await _at(ask, LARGE, 16, seconds)
        return figures


def measure(core: int, **arguments: Any) -> dict[str, float]:
    """Load a server from another core."""
    pin(core)
    arguments.pop("folder")
    return uvloop.run(load(**arguments))


if __name__ == "__main__":
    contend(measure)
