#: 23: StockService.take takes 0 parameters. A handler takes the event: `async def take(self, event: Sold)`.
#: 25: StockService.give is @on(Sold), but takes a Bought. Make the two the same.
#: 27: StockService.count is not async. Write `async def count(self, event)`.
"""A handler takes its event."""

from __future__ import annotations
from ramet import Contract, Event, on


class Sold(Event):
    sku: str


class Bought(Event):
    sku: str


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock):
    @on(Sold)
    async def take(self) -> None: ...
    @on(Sold)
    async def give(self, event: Bought) -> None: ...
    @on(Sold)
    def count(self, event: Sold) -> None: ...
