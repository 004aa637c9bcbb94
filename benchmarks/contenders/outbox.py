"""A command that writes one row, with and without an event in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import uvloop

from benchmarks.contenders import contend, participants
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.contenders.ramet_alive import alive
from ramet import Contract, Database, Event, command

CHAIR = "chair"


class Placed(Event, key="order"):
    order: str
    amount: int


class Shop(Contract, version="1.0.0", publishes=(Placed,)):
    @command
    async def place(self, order: str) -> None: ...

    @command
    async def place_and_tell(self, order: str) -> None: ...

    @command
    async def write(self, order: str) -> None: ...

    @command
    async def write_and_tell(self, order: str) -> None: ...


class ShopService(Shop, tables=participants.metadata):
    db: Database

    async def startup(self) -> None:
        await self.db.execute(*participants.enter(CHAIR, 10**9))

    async def place(self, order: str) -> None:
        """What a business transaction is at least: look, note what is ordered, take it from the stock."""
        left = (await self.db.execute(*participants.look(CHAIR))).scalar_one()
        if left > 0:
            await self.db.execute(*participants.enter(order, 1))
            await self.db.execute(*participants.take(CHAIR))

    async def place_and_tell(self, order: str) -> None:
        await self.place(order)
        await self.publish(Placed(order=order, amount=1))

    async def write(self, order: str) -> None:
        await self.db.execute(*participants.enter(order, 1))

    async def write_and_tell(self, order: str) -> None:
        await self.write(order)
        await self.publish(Placed(order=order, amount=1))


async def figures(folder: str, count: int, chunks: int, in_flight: int) -> dict[str, float]:
    """Transactions a second of all kinds, which take turns."""
    async with alive(folder, ShopService) as running:
        shop = running.client(Shop)
        kinds = {work.__name__: work for work in (shop.place, shop.place_and_tell, shop.write, shop.write_and_tell)}
        rates: dict[str, list[float]] = {kind: [] for kind in kinds}
        for chunk in range(-1, chunks):
            for kind, work in kinds.items():
                rate = count / await keep_in_flight(names(f"{kind}-{chunk}", count), in_flight, work)
                if chunk >= 0:
                    rates[kind].append(rate)
    found = {kind: median(values) for kind, values in rates.items()}
    cost = _cost(rates["place"], rates["place_and_tell"])
    return {**found, "cost": cost, "cost_of_one_row": _cost(rates["write"], rates["write_and_tell"])}


def _cost(without: Sequence[float], having: Sequence[float]) -> float:
    """The additional time of a transaction, in percent."""
    return median((one / other - 1) * 100 for one, other in zip(without, having, strict=True))


def measure(folder: str, count: int, chunks: int, in_flight: int) -> dict[str, float]:
    """Rates, and the cost of telling in percent."""
    return uvloop.run(figures(folder, count, chunks, in_flight))


if __name__ == "__main__":
    contend(measure)
