"""A command that writes one row, with and without an event in the same transaction."""

from __future__ import annotations

from statistics import median

import uvloop

from benchmarks.contenders import contend, participants
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.contenders.ramet_alive import alive
from ramet import Contract, Database, Event, command


class Placed(Event, key="order"):
    order: str
    amount: int


class Shop(Contract, version="1.0.0", publishes=(Placed,)):
    @command
    async def write(self, order: str) -> None: ...

    @command
    async def publish_too(self, order: str) -> None: ...


class ShopService(Shop, tables=participants.metadata):
    db: Database

    async def write(self, order: str) -> None:
        await self.db.execute(*participants.enter(order, 1))

    async def publish_too(self, order: str) -> None:
        await self.db.execute(*participants.enter(order, 1))
        await self.publish(Placed(order=order, amount=1))


async def figures(folder: str, count: int, chunks: int, in_flight: int) -> dict[str, float]:
    """Transactions a second of both kinds, which take turns."""
    async with alive(folder, ShopService) as running:
        shop = running.client(Shop)
        plain, publishing = [], []
        for chunk in range(-1, chunks):
            plain.append(count / await keep_in_flight(names(f"plain-{chunk}", count), in_flight, shop.write))
            publishing.append(count / await keep_in_flight(names(f"event-{chunk}", count), in_flight, shop.publish_too))
        cost = [(without / having - 1) * 100 for without, having in zip(plain[1:], publishing[1:], strict=True)]
        return {"cost": median(cost), "plain": median(plain[1:]), "publishing": median(publishing[1:])}


def measure(folder: str, count: int, chunks: int, in_flight: int) -> dict[str, float]:
    """The cost is the additional time of a transaction, in percent."""
    return uvloop.run(figures(folder, count, chunks, in_flight))


if __name__ == "__main__":
    contend(measure)
