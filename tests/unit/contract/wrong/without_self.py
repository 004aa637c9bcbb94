#: 10: Stock.level does not take self. Write `async def level(self, …)`.
"""The first parameter is not for arguments."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(sku: str) -> int: ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
