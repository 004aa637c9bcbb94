#: 31: Stock.size: the parameter "sku": list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
#: 34: Stock.weight is neither a @query nor a @command. Decorate it; what is private to the service belongs into the service.
"""A decorator that hides what it wraps is found; one that says it is not in the way."""

from __future__ import annotations
import functools
from ramet import Contract, query


def open_(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


def hiding(function):
    def call(*args):
        return function(*args)

    return call


class Stock(Contract, version="1.0.0"):
    @open_
    @query
    async def level(self, sku: str) -> int: ...
    @query
    @open_
    async def size(self, sku: list[str]) -> int: ...
    @hiding
    @query
    async def weight(self, sku: str) -> int: ...


class StockService(Stock):
    @open_
    async def level(self, sku: str) -> int:
        return 0

    async def size(self, sku: list[str]) -> int:
        return 0
