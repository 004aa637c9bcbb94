#: 18: StockService.tidy is marked twice. Keep one of the decorators, and write a method for the other.
"""One method, one decorator."""

from __future__ import annotations
from ramet import Contract, Event, every, on


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock):
    @every("1h")
    @on(Sold)
    async def tidy(self, event: Sold) -> None: ...
