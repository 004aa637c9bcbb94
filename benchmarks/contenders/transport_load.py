"""The calling side of one transport: latency at 1 in flight, calls a second at 1, 16, 64, and of 100 KB at 16.

Each call encodes its question and decodes its answer.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
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
from benchmarks.contenders.transport_asked import (
    IMAGE,
    LARGE,
    METHOD,
    SECONDS,
    SMALL,
    Asked,
    Stock,
    answer_bytes,
    encode,
    is_right,
    read_level,
)
from benchmarks.contenders.transport_bare import BareClient, Echoed
from benchmarks.contenders.transport_messages import LEVEL, written
from benchmarks.contenders.transport_models import JSON, question, read_answer
from benchmarks.machine import pin
from ramet.clock import SystemClock
from ramet.contract.problems import Problems
from ramet.contract.reading.contracts import read_contract
from ramet.runtime.calls import Exchange
from ramet.runtime.linking import linked
from ramet.tasks import Tasks
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.counters import Counters
from ramet.transport.base import Call, Endpoint
from ramet.transport.client import dial
from ramet.transport.options import MEBIBYTE, Tls, TransportOptions
from ramet.transport.upstream.upstream import Upstream
from ramet.transport.wire.protocol import CallerWire

BAGGAGE = {"flag": "on"}
MINUTE = 60.0
Ask = Callable[[Asked], Awaitable[Any]]


@asynccontextmanager
async def _upstream(address: str, folder: str) -> AsyncIterator[Upstream]:
    """As in a replica, with every policy but hedging."""
    clock, tasks = SystemClock(), Tasks()
    options = TransportOptions(application="bench", tls=Tls(authority=Path(folder) / "s.crt"))
    reach = partial(dial, token=None, clock=clock, spawn=tasks.spawn, options=options)
    upstream = Upstream("bench", reach, clock=clock, spawn=tasks.spawn)
    upstream.update([Endpoint(address=address, group="bench")])
    yield upstream
    await upstream.close()


@asynccontextmanager
async def _ramet(address: str, folder: str) -> AsyncIterator[Ask]:
    clock = SystemClock()
    context = _context(clock, clock.id(), MINUTE)
    async with _upstream(address, folder) as upstream:

        async def ask(asked: Asked) -> Any:
            return read_level(await upstream.call(_call(context, encode(asked)), repeatable=True))

        yield ask


def _context(clock: SystemClock, trace: str, seconds: float = SECONDS) -> Context:
    """That of a piece of work, made once for all that it calls: a deadline, a tenant, a trace and baggage."""
    return Context(
        execution=clock.id(), trace=trace, deadline=clock.monotonic() + seconds, tenant="acme", baggage=BAGGAGE
    )


def _call(context: Context, arguments: bytes) -> Call:
    """With all that a call carries: a context and a key."""
    return Call(METHOD, arguments, context, context.execution)


@asynccontextmanager
async def _ramet_contract(address: str, folder: str) -> AsyncIterator[Ask]:
    """A client of the contract, each call in a context of its own, as that of a request."""
    clock, counters = SystemClock(), Counters()
    contract, trace = read_contract(Stock, Problems()), clock.id()
    async with _upstream(address, folder) as upstream:
        exchange = Exchange(clock=clock, counters=counters, strict=False)
        exchange.add(contract, lambda: linked(contract, upstream, clock=clock, counters=counters))
        client = exchange.client_outside(Stock)

        async def ask(asked: Asked) -> Any:
            current_context.set(_context(clock, trace))
            return await client.level(asked)

        yield ask


@asynccontextmanager
async def _echo(address: str, _: str) -> AsyncIterator[Ask]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_unix_connection(Echoed, address)
    transport.set_write_buffer_limits(0)
    clock = SystemClock()
    call = _call(_context(clock, clock.id()), encode(SMALL))
    frame = b"." * len(CallerWire(MEBIBYTE).request(1, call, clock.monotonic()))

    async def ask(_: Asked) -> Any:
        protocol.answered = loop.create_future()
        transport.write(frame)
        await protocol.answered  # it is no answer

    yield ask
    transport.close()


@asynccontextmanager
async def _bare(address: str, _: str) -> AsyncIterator[Ask]:
    transport, client = await asyncio.get_running_loop().create_unix_connection(BareClient, address)

    async def ask(asked: Asked) -> Any:
        return read_level(await client.ask(encode(asked)))

    yield ask
    transport.close()


@asynccontextmanager
async def _grpc(address: str, _: str) -> AsyncIterator[Ask]:
    async with grpc.aio.insecure_channel(address) as channel:
        level = channel.unary_unary("/Stock/Level", request_serializer=written, response_deserializer=LEVEL.FromString)
        yield lambda asked: level(asked, timeout=SECONDS)


@asynccontextmanager
async def _aiohttp(address: str, _: str) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as session:

        async def ask(asked: Asked) -> Any:
            path, body = question(asked)
            async with session.post(address + path, data=body, headers=JSON) as response:
                return read_answer(asked, await response.read())

        yield ask


@asynccontextmanager
async def _httpx(address: str, _: str) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(timeout=60) as client:

        async def ask(asked: Asked) -> Any:
            path, body = question(asked)
            return read_answer(asked, (await client.post(address + path, content=body, headers=JSON)).content)

        yield ask


@asynccontextmanager
async def _nats(address: str, _: str) -> AsyncIterator[Ask]:
    connection = await nats.connect(address)

    async def ask(asked: Asked) -> Any:
        return read_level((await connection.request("stock.level", encode(asked), timeout=SECONDS)).data)

    yield ask
    await connection.close()


CLIENTS = {
    "ramet": _ramet,
    "ramet_contract": _ramet_contract,
    "echo": _echo,
    "bare": _bare,
    "grpc": _grpc,
    "aiohttp": _aiohttp,
    "httpx": _httpx,
    "nats": _nats,
}


async def _at(ask: Ask, asked: Asked, workers: int, seconds: float) -> tuple[float, list[float]]:
    """Calls a second, and how long each took."""
    taken: list[float] = []
    end = perf_counter() + seconds

    async def work() -> None:
        while (begun := perf_counter()) < end:
            answered = await ask(asked)
            taken.append(perf_counter() - begun)
            assert answered is None or is_right(asked, answered)

    began = perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return len(taken) / (perf_counter() - began), taken


def _used(process: int) -> float:
    """Processor seconds of another process (Linux: its clock)."""
    return clock_gettime((~process << 3) | 2)


async def _own_microseconds(seconds: float) -> float:
    """What this load takes for itself for each call, its coroutines and its stopwatch: nobody is asked."""
    level = read_level(answer_bytes(encode(SMALL)))

    async def ask(_: Asked) -> Any:
        return level

    used = process_time()
    _, taken = await _at(ask, SMALL, 64, seconds / 4)
    return (process_time() - used) / len(taken) * 1e6


async def _both(ask: Ask, asked: Asked, workers: int, processes: Sequence[int], seconds: float) -> list[float]:
    """Calls a second, and for each call µs of the processors of this process, of the server, and of a broker."""
    before = [process_time(), *map(_used, processes)]
    rate, taken = await _at(ask, asked, workers, seconds)
    after = [process_time(), *map(_used, processes)]
    return [rate, *((late - early) / len(taken) * 1e6 for early, late in zip(before, after, strict=True))]


async def load(
    address: str, client: str, server: int, certified: str, broker: int | None, seconds: float
) -> dict[str, float]:
    """The figures of one transport."""
    async with CLIENTS[client](address, certified) as ask:
        await _at(ask, SMALL, 1, seconds / 4)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        rate, taken = await _at(ask, SMALL, 1, seconds)
        points = quantiles(taken, n=100)
        figures = {"p50": points[49] * 1e6, "p99": points[98] * 1e6, "rps_1": rate}
        if client == "echo":
            return figures
        own = await _own_microseconds(seconds)
        processes = [server] if broker is None else [server, broker]
        for name, asked, workers in (
            ("16", SMALL, 16),
            ("64", SMALL, 64),
            ("lines", LARGE, 16),
            ("picture", IMAGE, 16),
        ):
            rate, caller, answerer, *beside = await _both(ask, asked, workers, processes, seconds)
            figures |= {f"rps_{name}": rate, f"cpu_{name}": caller - own + answerer, f"broker_{name}": sum(beside)}
        return figures


def measure(core: int | None, **arguments: Any) -> dict[str, float]:
    """Load a server, from another core where it has one of its own."""
    if core is not None:
        pin(core)
    arguments.pop("folder")
    return uvloop.run(load(**arguments))


if __name__ == "__main__":
    contend(measure)
