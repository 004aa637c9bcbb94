#: 15: Stock.take is a handler inside a contract. Move it to the service: a contract says only what others may call.
#: 17: Stock.tidy is a handler inside a contract. Move it to the service: a contract says only what others may call.
"""A contract says only what others may call."""

from __future__ import annotations
from ramet import Contract, Event, every, on


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0"):
    @on(Sold)
    async def take(self, event: Sold) -> None: ...
    @every("1h")
    async def tidy(self) -> None: ...


class StockService(Stock): ...
