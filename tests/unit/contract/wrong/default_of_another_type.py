#: 11: Stock.level: the default '1' of "at_least" is no int. Give it one that is.
#: 11: Stock.level: the default None of "sku" is no str. Write `sku: str | None`.
"""A default that could not be sent as an argument."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str = None, at_least: int = "1") -> int: ...


class StockService(Stock):
    async def level(self, sku: str = "", at_least: int = 1) -> int:
        return 0
