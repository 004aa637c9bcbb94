#: 16: Stock.find: the result: T stands for any type. Name the type: each method of a contract has its own.
#: 18: Stock.find: the parameter "what": Any says nothing about the value. Name its type, for instance a Struct.
#: 19: Stock.find: the parameter "how": object says nothing about the value. Name its type, for instance a Struct.
#: 20: Stock.find: the parameter "like": T stands for any type. Name the type: each method of a contract has its own.
"""Any says nothing; neither does object, nor a type variable."""

from __future__ import annotations
from typing import Any, TypeVar
from ramet import Contract, query

T = TypeVar("T")


class Stock(Contract, version="1.0.0"):
    @query
    async def find(
        self,
        what: Any,
        how: object,
        like: T,
    ) -> T: ...


class StockService(Stock):
    async def find(self, what: Any, how: object, like: T) -> T:
        return like
