#: 17: StockService.level is not async, but its contract is. Write `async def level(self, sku)`.
#: 20: StockService.size is an int, not a method. Write `async def size(self)`.
"""A service's method is awaited."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str) -> int: ...
    @query
    async def size(self) -> int: ...


class StockService(Stock):
    def level(self, sku: str) -> int:
        return 0

    size = 5
