#: 17: Stock.find: the result: Found does not say what is in it. Write Found[str], for instance.
"""A generic struct that does not say what is in it."""

from __future__ import annotations
from typing import Generic, TypeVar
from ramet import Contract, Struct, query

T = TypeVar("T")


class Found(Struct, Generic[T]):
    items: tuple[T, ...]


class Stock(Contract, version="1.0.0"):
    @query
    async def find(self, text: str) -> Found: ...


class StockService(Stock):
    async def find(self, text: str) -> Found:
        return Found(items=())
