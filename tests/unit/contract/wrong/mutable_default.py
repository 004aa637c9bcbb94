#: 10: Stock.levels: the parameter "skus" has a mutable default. Use an immutable one: `()`, a Struct or None.
"""One list for all calls."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def levels(self, skus: tuple[str, ...] = []) -> int: ...


class StockService(Stock):
    async def levels(self, skus: tuple[str, ...] = ()) -> int:
        return 0
