"""Events from one service to another: how many are handled in a second, and how soon."""

from __future__ import annotations

import asyncio
from statistics import quantiles
from time import perf_counter, process_time
from typing import cast

import uvloop

from benchmarks.contenders import contend, participants
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.contenders.ramet_alive import alive
from ramet import Contract, Database, Event, command, on
from ramet.events.moments import Attempt, Outcome
from ramet.storage.base import Unit
from ramet.telemetry.scope import current_scope

TOGETHER = 100
"""How many events one command publishes when throughput is measured."""


class Noticed(Event, key="order"):
    order: str


class Written(Event, key="order"):
    order: str


committed: dict[str, float] = {}
"""When the transaction that published an event was durable."""


class Shop(Contract, version="1.0.0", publishes=(Noticed, Written)):
    @command
    async def notice(self, prefix: str) -> None: ...

    @command
    async def write(self, prefix: str) -> None: ...

    @command
    async def one(self, order: str) -> None: ...


class ShopService(Shop):
    async def notice(self, prefix: str) -> None:
        for order in names(prefix, TOGETHER):
            await self.publish(Noticed(order=order))

    async def write(self, prefix: str) -> None:
        for order in names(prefix, TOGETHER):
            await self.publish(Written(order=order))

    async def one(self, order: str) -> None:
        await self.publish(Written(order=order))
        scope = current_scope.get()
        assert scope is not None
        cast("Unit", scope.unit).after_commit(lambda: committed.update({order: perf_counter()}))


class Ledger(Contract, version="1.0.0"):
    @command
    async def nothing(self) -> None: ...


class LedgerService(Ledger, tables=participants.metadata):
    db: Database

    async def nothing(self) -> None:
        return None

    @on(Noticed)
    async def notice(self, event: Noticed) -> None:
        return None

    @on(Written)
    async def write(self, event: Written) -> None:
        await self.db.execute(*participants.enter(event.order, 1))


class Hearing:
    """Hears of every event that was handled."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._left = 0
        self._all: asyncio.Event | None = None

    def expect(self, count: int) -> asyncio.Event:
        """Set once that many more events were handled."""
        self._left, self._all = count, asyncio.Event()
        return self._all

    def __call__(self, attempt: Attempt) -> None:
        if attempt.outcome is not Outcome.HANDLED:
            raise RuntimeError(f"{attempt.consumer}: {attempt.outcome} {attempt.error}")
        if attempt.key in committed:
            self.delays.append(perf_counter() - committed.pop(attempt.key))
        self._left -= 1
        if self._left == 0 and self._all is not None:
            self._all.set()


async def figures(folder: str, count: int, paced: int, per_second: int, **engines: str) -> dict[str, float]:
    """Handled a second, by a handler that does nothing and by one that writes a row; the delays at a given rate."""
    hearing = Hearing()
    async with alive(folder, ShopService, LedgerService, report=hearing, **engines) as running:
        shop = running.client(Shop)
        for _ in range(2):
            await _throughput(hearing, f"warm{_}", TOGETHER, shop)
        found = await _throughput(hearing, "many", count, shop)
        hearing.delays.clear()
        handled = hearing.expect(paced)
        async with asyncio.TaskGroup() as group:
            for order in names("paced", paced):
                group.create_task(shop.one(order))
                await asyncio.sleep(1 / per_second)
        await handled.wait()
    cuts = quantiles(hearing.delays, n=100)
    return {**found, "p50": cuts[49] * 1000, "p99": cuts[98] * 1000}


async def _throughput(hearing: Hearing, prefix: str, count: int, shop: Shop) -> dict[str, float]:
    found = {}
    for kind, publish in (("nothing", shop.notice), ("row", shop.write)):
        handled, started, used = hearing.expect(count), perf_counter(), process_time()
        await keep_in_flight(names(f"{prefix}-{kind}", count // TOGETHER), 4, publish)
        await handled.wait()
        found[kind] = count / (perf_counter() - started)
        found[f"{kind}_cpu_us"] = (process_time() - used) / count * 1e6
    return found


def measure(folder: str, count: int, paced: int, per_second: int) -> dict[str, float]:
    """`count` events as fast as they go, and `paced` at a rate."""
    return uvloop.run(figures(folder, count, paced, per_second))


if __name__ == "__main__":
    contend(measure)
