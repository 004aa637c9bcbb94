#: 12: Stock.reserve refuses OutOfStock, which is not a Refusal. Declare `class OutOfStock(Refusal)`.
"""Only a Refusal can be refused with."""

from __future__ import annotations
from ramet import Contract, command


class OutOfStock(Exception): ...


class Stock(Contract, version="1.0.0"):
    @command(refuses=OutOfStock)
    async def reserve(self, sku: str) -> None: ...


class StockService(Stock):
    async def reserve(self, sku: str) -> None: ...
