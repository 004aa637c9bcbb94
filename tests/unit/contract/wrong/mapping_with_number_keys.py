#: 11: Stock.levels: the result: Mapping[int, int] has keys that are not text, and JSON knows no others. Use str or an Enum of strings as its keys, or a tuple of Structs.
"""JSON, which services in other languages speak, knows only text as a key."""

from __future__ import annotations
from collections.abc import Mapping
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def levels(self) -> Mapping[int, int]: ...


class StockService(Stock):
    async def levels(self) -> Mapping[int, int]:
        return {}
