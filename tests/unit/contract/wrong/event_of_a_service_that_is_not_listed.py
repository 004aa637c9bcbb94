#: 22: StockService.take handles Sold of Sales, which no service implements. Add the service that implements Sales to the list of services.
"""The owner of an event is named where it is known."""

from __future__ import annotations
from ramet import Contract, Event, command, on


class Sold(Event):
    sku: str


class Sales(Contract, version="1.0.0"):
    @command
    async def sell(self, sku: str) -> None: ...


class Stock(Contract, version="1.0.0", publishes=()): ...


class StockService(Stock):
    @on(Sold)
    async def take(self, event: Sold) -> None: ...
