#: 14: Stock.level: the parameter "line" has the unknown type "Line". Declare Line at the top of a module: what is inside a function cannot be found by its name.
"""Names inside a function cannot be found from an annotation."""

from __future__ import annotations
from ramet import Contract, Struct, query


def make():
    class Line(Struct):
        sku: str

    class Stock(Contract, version="1.0.0"):
        @query
        async def level(self, line: Line) -> int: ...

    class StockService(Stock):
        async def level(self, line: Line) -> int:
            return 0

    return StockService


StockService = make()
