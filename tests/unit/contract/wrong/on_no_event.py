#: 18: StockService.take is @on(Sold), which is not an event. Declare `class Sold(Event)`.
#: 20: StockService.note is @on(Event), which is not an event. Name a class that is one: `class …(Event)`.
#: 22: StockService.count is @on('Sold'), which is not an event. Name a class that is one: `class …(Event)`.
"""Only an event can be handled."""

from __future__ import annotations
from ramet import Contract, Event, Struct, on


class Sold(Struct):
    sku: str


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock):
    @on(Sold)
    async def take(self, event: Sold) -> None: ...
    @on(Event)
    async def note(self, event: Event) -> None: ...
    @on("Sold")
    async def count(self, event: Event) -> None: ...
