#: 10: Stock.level is not async. Write `async def level(…)`: any call may travel.
"""Any call may travel."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    def level(self, sku: str) -> int: ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
