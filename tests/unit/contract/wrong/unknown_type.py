#: 13: Stock.level: the parameter "day" has the unknown type "Date". Import Date, or mend the name.
"""A type is named that nobody has imported."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(
        self,
        sku: str,
        day: Date,
    ) -> int: ...


class StockService(Stock):
    async def level(self, sku: str, day: object) -> int:
        return 0
