#: 15: Stock.shelf: the result: Shelf cannot be sent: it is neither a plain value nor a Struct. Send a Struct with the fields that the other side needs.
"""An ordinary class is nothing that can be sent."""

from __future__ import annotations
from ramet import Contract, query


class Shelf:
    def __init__(self, number: int) -> None:
        self.number = number


class Stock(Contract, version="1.0.0"):
    @query
    async def shelf(self, sku: str) -> Shelf: ...


class StockService(Stock):
    async def shelf(self, sku: str) -> Shelf:
        return Shelf(1)
