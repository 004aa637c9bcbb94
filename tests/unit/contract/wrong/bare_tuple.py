#: 12: Stock.levels: the parameter "skus": tuple does not say what is in it. Write tuple[str, ...], for instance.
#: 12: Stock.levels: the result: Mapping does not say what is in it. Write Mapping[str, int], for instance.
"""A tuple that does not say what is in it."""

from __future__ import annotations
from collections.abc import Mapping
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def levels(self, skus: tuple) -> Mapping: ...


class StockService(Stock):
    async def levels(self, skus: tuple) -> Mapping:
        return {}
