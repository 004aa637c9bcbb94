"""A service behind a socket that gets up to three times what it can do, with admission and without."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvloop

from benchmarks.contenders import contend
from ramet.clock import SystemClock
from ramet.errors import CallError
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call, Endpoint, Peer
from ramet.transport.client import dial
from ramet.transport.options import TransportOptions
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.policy.policies import Policies
from ramet.transport.policy.retries import Retries
from ramet.transport.server import Server
from ramet.transport.upstream.upstream import Upstream

AT_ONCE = 8
WORK_SECONDS = 0.01
CAPACITY = AT_ONCE / WORK_SECONDS
PATIENCE_SECONDS = 0.1
CLOCK = SystemClock()
OPTIONS = TransportOptions(application="overload")
UNBOUNDED = Bulkhead(concurrency=100_000, queue=1)


class Work:
    """Answers eight calls at a time, each in 10 ms; a call whose caller has gone has cost its time all the same."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, call: Call, _: Peer) -> bytes:
        async with self._places:
            await asyncio.shield(CLOCK.sleep(WORK_SECONDS))
            return call.arguments


async def goodput(folder: str, times: float, seconds: float, *, admitted: bool) -> float:
    """Answers a second that came within a tenth of a second, at so many times the capacity."""
    tasks = Tasks()
    bulkhead = Bulkhead(concurrency=AT_ONCE, queue=64) if admitted else UNBOUNDED
    options = replace(OPTIONS, bulkhead=bulkhead)
    server = Server(Work(), None, clock=CLOCK, spawn=tasks.spawn, options=options)
    address = await server.start(f"unix:{Path(folder) / f'{times}-{admitted}.sock'}")
    connect = partial(dial, token=None, clock=CLOCK, spawn=tasks.spawn, options=OPTIONS)
    policies = Policies(retries=Retries(attempts=1))
    upstream = Upstream("work", connect, clock=CLOCK, spawn=tasks.spawn, policies=policies)
    upstream.update([Endpoint(address=address, group="work")])
    good = 0

    async def one() -> None:
        nonlocal good
        context = Context.root("load", deadline=CLOCK.monotonic() + PATIENCE_SECONDS)
        try:
            await upstream.call(Call("work.do", b"", context), repeatable=True)
        except CallError:
            return
        good += 1

    begun = CLOCK.monotonic()
    sent = 0
    while (now := CLOCK.monotonic()) < begun + seconds:
        due = int((now - begun) * CAPACITY * times)
        for _ in range(due - sent):
            tasks.spawn(one())
        sent = due
        await CLOCK.sleep(0.002)
    rate = good / seconds
    await server.close()
    await upstream.close()
    await tasks.stop()
    return rate


async def figures(folder: str, seconds: float) -> dict[str, float]:
    """Goodput at 0.8, 1.5 and 3 times the capacity, with admission, and at 3 times without."""
    return {
        "capacity": CAPACITY,
        "below": await goodput(folder, 0.8, seconds, admitted=True),
        "above": await goodput(folder, 1.5, seconds, admitted=True),
        "three": await goodput(folder, 3.0, seconds, admitted=True),
        "unbounded": await goodput(folder, 3.0, seconds, admitted=False),
    }


def measure(folder: str, seconds: float) -> dict[str, float]:
    """Goodputs, in answers a second."""
    return uvloop.run(figures(folder, seconds))


if __name__ == "__main__":
    contend(measure)
