"""Sagas that wait by the thousand: what starting them takes, what they weigh, and what else then is slower."""

from __future__ import annotations

import asyncio
import gc
import os
from statistics import quantiles
from time import perf_counter
from typing import Any

import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.contenders.ramet_alive import alive
from benchmarks.processes import memory_megabytes
from ramet import Contract, Event, Saga, Struct, command, query, step, wait
from ramet.runtime.running import Running
from ramet.sagas.moments import Happened, Moment

WIDTH = 50


class Paid(Event, key="order"):
    order: str


class Patient(Saga):
    """One step, then a wait for an event, then another step."""

    class State(Struct):
        order: str
        passed: int = 0

    @step
    async def ask(self, state: State) -> State:
        return Patient.State(order=state.order, passed=1)

    @wait(Paid)
    async def paid(self, state: State, event: Paid) -> State:
        return Patient.State(order=state.order, passed=2)

    @step
    async def thank(self, state: State) -> State:
        return Patient.State(order=state.order, passed=3)


class Brief(Saga):
    """Four trivial steps."""

    class State(Struct):
        passed: int = 0

    @step
    async def first(self, state: State) -> State:
        return state

    @step
    async def second(self, state: State) -> State:
        return state

    @step
    async def third(self, state: State) -> State:
        return state

    @step
    async def fourth(self, state: State) -> State:
        return state


class Orders(Contract, version="1.0.0", publishes=Paid):
    @command
    async def begin(self, order: str) -> None: ...

    @command
    async def brief(self, order: str) -> None: ...

    @command
    async def pay(self, order: str) -> None: ...

    @query
    async def ping(self) -> int: ...


class OrdersService(Orders, sagas=(Patient, Brief)):
    async def begin(self, order: str) -> None:
        await self.start(Patient, key=order, state=Patient.State(order=order))

    async def brief(self, order: str) -> None:
        await self.start(Brief, key=order, state=Brief.State())

    async def pay(self, order: str) -> None:
        await self.publish(Paid(order=order))

    async def ping(self) -> int:
        return 1


class Watch:
    """Hears what happens to sagas, and waits for that."""

    def __init__(self, running: Running) -> None:
        engine = running.services["orders"].engine
        assert engine is not None
        engine.report = self._hear
        self.orders = running.client(Orders)
        self._awaited: dict[tuple[str, Happened], asyncio.Future[None]] = {}

    async def until(self, key: str, happened: Happened, work: Any) -> None:
        """Do this work, and wait until that has happened to the saga."""
        heard = self._awaited[key, happened] = asyncio.get_running_loop().create_future()
        await work(key)
        await heard

    def _hear(self, moment: Moment) -> None:
        heard = self._awaited.pop((moment.key, moment.happened), None)
        if heard is not None:
            heard.set_result(None)


async def _briefly(watch: Watch, prefix: str, count: int) -> list[float]:
    """Milliseconds from the start to the end of a short saga, one at a time."""
    taken = []
    for name in names(prefix, count):
        began = perf_counter()
        await watch.until(name, Happened.ENDED, watch.orders.brief)
        taken.append((perf_counter() - began) * 1000)
    return taken


def _weight() -> float:
    gc.collect()
    return memory_megabytes([os.getpid()])["pss"]


async def figures(folder: str, waiting: int, count: int) -> dict[str, float]:
    """Start them, look, start again from the disk, let them end."""
    async with alive(folder, OrdersService) as running:
        watch = Watch(running)
        await _briefly(watch, "warm", count)
        light, alone = _weight(), quantiles(await _briefly(watch, "alone", count), n=100)
        started = await keep_in_flight(
            names("saga", waiting), WIDTH, lambda key: watch.until(key, Happened.DID, watch.orders.begin)
        )
        heavy, among = _weight(), quantiles(await _briefly(watch, "among", count), n=100)
    began = perf_counter()
    async with alive(folder, OrdersService) as running:
        recovered = perf_counter() - began
        watch = Watch(running)
        ended = await keep_in_flight(
            names("saga", waiting), WIDTH, lambda key: watch.until(key, Happened.ENDED, watch.orders.pay)
        )
    return {
        "started_per_second": waiting / started,
        "kilobytes": (heavy - light) / waiting * 1024,
        "p50_alone": alone[49],
        "p50_among": among[49],
        "p99_alone": alone[98],
        "p99_among": among[98],
        "recovered": recovered,
        "ended_per_second": waiting / ended,
    }


def measure(folder: str, waiting: int, count: int) -> dict[str, float]:
    """With so many sagas that wait, `count` short ones are measured."""
    return uvloop.run(figures(folder, waiting, count))


if __name__ == "__main__":
    contend(measure)
