#: 43: OrdersService calls self.stock.take(…) and does not wait for it, so nothing happens. Write `await self.stock.take(…)`.
#: 44: OrdersService calls self.db.execute(…) and does not wait for it, so nothing happens. Write `await self.db.execute(…)`.
#: 45: OrdersService calls self.publish(…) and does not wait for it, so nothing happens. Write `await self.publish(…)`.
#: 47: OrdersService calls self._note(…) and does not wait for it, so nothing happens. Write `await self._note(…)`.
#: 48: OrdersService calls self.clock.sleep(…) and does not wait for it, so nothing happens. Write `await self.clock.sleep(…)`.
#: 57: OrdersService calls self.stock.left(…) and does not wait for it, so nothing happens. Write `await self.stock.left(…)`.
"""What is not awaited does not happen; a call whose result is kept or handed on may be awaited later."""

from __future__ import annotations

import asyncio

from ramet import Clock, Contract, Database, Event, External, command, query
from sqlalchemy import text


class Ordered(Event):
    sku: str


class Stock(Contract, version="1.0.0"):
    @query
    async def left(self, sku: str) -> int: ...

    @command
    async def take(self, sku: str) -> None: ...


class Orders(Contract, version="1.0.0", publishes=Ordered):
    @command
    async def place(self, sku: str) -> None: ...

    @query
    async def left(self, sku: str) -> int: ...


class OrdersService(Orders):
    db: Database
    stock: Stock
    clock: Clock

    async def place(self, sku: str) -> None:
        self.stock.take(sku)
        self.db.execute(text("delete from nothing"))
        self.publish(Ordered(sku=sku))
        if sku:
            self._note(sku)
            self.clock.sleep(1)
        self._plain(sku)
        await self._note(sku)
        later = [self.stock.left(sku), self.stock.left(sku)]
        both = self.stock.left(sku)
        await asyncio.gather(both, *later)

    async def left(self, sku: str) -> int:
        async with self.db.session():
            return self.stock.left(sku)

    async def _note(self, sku: str) -> None: ...

    def _plain(self, sku: str) -> object:
        return self._note(sku)


stock = External(Stock, url="http://127.0.0.1:8090")
