#: 12: Stock.level is a staticmethod, not a method. Write `async def level(self, …)`.
#: 14: Stock.size is neither a @query nor a @command. Decorate it; what is private to the service belongs into the service.
"""Only methods can be called by others."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    @staticmethod
    async def level(sku: str) -> int: ...
    @property
    def size(self) -> int:
        return 0


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
