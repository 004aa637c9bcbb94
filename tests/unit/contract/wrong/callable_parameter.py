#: 11: Stock.find: the parameter "fits": Callable cannot be sent: it is neither a plain value nor a Struct. Send a Struct with the fields that the other side needs.
"""A function stays where it is."""

from __future__ import annotations
from collections.abc import Callable
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def find(self, fits: Callable[[str], bool]) -> str: ...


class StockService(Stock):
    async def find(self, fits: Callable[[str], bool]) -> str:
        return ""
