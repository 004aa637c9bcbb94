"""Sagas of Ramet, started by a command, until their end is on the disk."""

from __future__ import annotations

import asyncio

import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.contenders.ramet_alive import alive
from benchmarks.contenders.sagas_declared import SERVICES, Orders
from ramet.runtime.running import Running
from ramet.sagas.moments import Happened, Moment


class Sagas:
    """Starts sagas and waits for them."""

    def __init__(self, running: Running, kind: str) -> None:
        engine = running.services["orders"].engine
        assert engine is not None
        engine.report = self._hear
        self._recorder = engine._runner._recorder
        self._orders = running.client(Orders)
        self._kind = kind
        self._ends: dict[str, asyncio.Future[str]] = {}

    async def one(self, order: str) -> None:
        """A saga from its start to its end, durable."""
        ended = self._ends[order] = asyncio.get_running_loop().create_future()
        if self._kind == "bare":
            await self._orders.bare(order)
        else:
            await self._orders.full(order, -1 if self._kind == "refused" else 1)
        status = await ended
        await self._recorder.durable()
        if status != ("compensated" if self._kind == "refused" else "completed"):
            raise RuntimeError(f"{order} ended as {status}")

    def _hear(self, moment: Moment) -> None:
        if moment.happened is Happened.ENDED:
            self._ends.pop(moment.key).set_result(str(moment.status))


async def figures(folder: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """Sagas a second."""
    async with alive(folder, *SERVICES) as running:
        sagas = Sagas(running, kind)
        await keep_in_flight(names("warm", in_flight), in_flight, sagas.one)
        return {"per_second": count / await keep_in_flight(names("saga", count), in_flight, sagas.one)}


def measure(folder: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """`kind` is bare, full or refused."""
    return uvloop.run(figures(folder, kind, count, in_flight))


if __name__ == "__main__":
    contend(measure)
