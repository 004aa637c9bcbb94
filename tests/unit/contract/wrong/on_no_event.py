#: 19: StockService.take is @on(Sold), which is not an event. Declare `class Sold(Event)`.
#: 21: StockService.note is @on(Event), which is not an event. Name a class that is one: `class …(Event)`.
#: 23: StockService.count is @on('Sold'), which is not an event. Name a class that is one: `class …(Event)`.
#: 25: StockService.text is @on(str), which is not an event. Name a class that is one: `class …(Event)`.
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
    @on(str)
    async def text(self, event: Event) -> None: ...
