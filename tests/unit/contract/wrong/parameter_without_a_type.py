#: 10: Stock.level: the parameter "sku" has no type. Annotate it: `sku: str`, for instance.
"""A parameter says nothing of its type."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku, at: str) -> int: ...


class StockService(Stock):
    async def level(self, sku, at: str) -> int:
        return 0
