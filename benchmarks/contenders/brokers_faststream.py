"""FastStream through the same server: published to JetStream with its confirmation, acknowledged after handling.

It has no outbox and no inbox, so nothing is written beside the event itself.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import uvloop
from faststream.nats import JStream, NatsBroker, PullSub

from benchmarks.contenders import contend
from benchmarks.contenders.in_flight import keep_in_flight, names
from ramet.testing.engines.nats import NatsEngine

IN_FLIGHT = 100


async def figures(url: str, count: int, paced: int, per_second: int) -> dict[str, float]:
    """Handled a second; the delays from the confirmation of the publication at a given rate."""
    broker = NatsBroker(url, logger=None, log_level=logging.CRITICAL)
    published: dict[str, float] = {}
    delays: list[float] = []
    state = {"left": 0}
    all_handled = asyncio.Event()

    @broker.subscriber("written", stream=JStream("bench"), durable="ledger", pull_sub=PullSub(batch_size=100))
    async def handle(order: str) -> None:
        if order in published:
            delays.append(perf_counter() - published[order])
        state["left"] -= 1
        if not state["left"]:
            all_handled.set()

    async def publish(order: str) -> None:
        published[order] = perf_counter()
        await broker.publish(order, "written", stream="bench")

    await broker.start()
    state["left"], started = count, perf_counter()
    await keep_in_flight(names("many", count), IN_FLIGHT, publish)
    await all_handled.wait()
    found = {"nothing": count / (perf_counter() - started)}
    delays.clear()
    all_handled.clear()
    state["left"] = paced
    async with asyncio.TaskGroup() as group:
        for order in names("paced", paced):
            group.create_task(publish(order))
            await asyncio.sleep(1 / per_second)
    await all_handled.wait()
    cuts = quantiles(delays, n=100)
    await broker.stop()
    return {**found, "p50": cuts[49] * 1000, "p99": cuts[98] * 1000}


def measure(folder: str, count: int, paced: int, per_second: int) -> dict[str, float]:
    """`count` events as fast as they go, and `paced` at a rate."""
    with NatsEngine(Path(folder) / "nats") as engine:
        return uvloop.run(figures(engine.url.partition("?")[0], count, paced, per_second))


if __name__ == "__main__":
    contend(measure)
