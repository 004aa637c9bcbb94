#: 11: Stock.reserve is neither a @query nor a @command. Decorate it; what is private to the service belongs into the service.
"""A public method of a contract is a query or a command."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str) -> int: ...
    async def reserve(self, sku: str) -> None: ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
