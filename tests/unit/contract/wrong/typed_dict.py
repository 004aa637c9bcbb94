#: 15: Stock.level: the parameter "line": Line is a TypedDict, which is mutable. Make it a Struct.
"""A TypedDict is a dict."""

from __future__ import annotations
from typing import TypedDict
from ramet import Contract, query


class Line(TypedDict):
    sku: str


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, line: Line) -> int: ...


class StockService(Stock):
    async def level(self, line: Line) -> int:
        return 0
