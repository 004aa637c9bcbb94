#: 10: Stock.reserve refuses 'OutOfStock', which is not a Refusal. Name a class that is one: `class …(Refusal)`.
#: 10: Stock.reserve refuses without a reason. Declare a class for each reason: `class OutOfStock(Refusal)`.
"""A refusal has a reason."""

from __future__ import annotations
from ramet import Contract, Refusal, command


class Stock(Contract, version="1.0.0"):
    @command(refuses=(Refusal, "OutOfStock"))
    async def reserve(self, sku: str) -> None: ...


class StockService(Stock):
    async def reserve(self, sku: str) -> None: ...
