#: 17: StockService.take handles Sold, which no contract publishes. Name it in its contract, `class …(Contract, publishes=(Sold,))`, and list that service.
"""What is waited for comes from somewhere."""

from __future__ import annotations
from ramet import Contract, Event, on


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0", publishes=()): ...


class StockService(Stock):
    @on(Sold)
    async def take(self, event: Sold) -> None: ...
