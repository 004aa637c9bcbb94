#: 9: Line has a field of the unknown type "Sku". Import it, or mend its name.
"""A struct has a field whose type nobody has imported."""

from __future__ import annotations
from ramet import Contract, Struct, query


class Line(Struct):
    sku: Sku


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, line: Line) -> int: ...


class StockService(Stock):
    async def level(self, line: Line) -> int:
        return 0
