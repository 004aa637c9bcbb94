#: 13: Stock inherits level from Levels, which is no contract. Write level in Stock itself: it says all that it promises.
"""A contract is read by itself, so what it promises stands in it."""

from __future__ import annotations
from ramet import Contract, query


class Levels:
    @query
    async def level(self, sku: str) -> int: ...


class Stock(Levels, Contract, version="1.0.0"): ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 1
