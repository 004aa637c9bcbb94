#: 12: Stock has two different refusals called Sold. Give one another name: callers tell them apart by it.
"""Callers tell refusals apart by their names."""

from __future__ import annotations
from ramet import Contract, Refusal, command


class Stock(Contract, version="1.0.0"):
    class Sold(Refusal): ...

    class Shelf:
        class Sold(Refusal): ...

    @command(refuses=(Sold, Shelf.Sold))
    async def reserve(self, sku: str) -> None: ...


class StockService(Stock):
    async def reserve(self, sku: str) -> None: ...
