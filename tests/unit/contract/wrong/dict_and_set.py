#: 12: Stock.levels: the result: dict[str, int] is mutable, so caller and callee could change it under each other's hands. Use collections.abc.Mapping[str, int].
#: 14: Stock.levels: the parameter "skus": set[str] is mutable, so caller and callee could change it under each other's hands. Use frozenset[str].
#: 15: Stock.levels: the parameter "picture": bytearray is mutable, so caller and callee could change it under each other's hands. Use bytes.
"""So could a dict, a set and a bytearray, also as a result."""

from __future__ import annotations
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def levels(
        self,
        skus: set[str],
        picture: bytearray,
    ) -> dict[str, int]: ...


class StockService(Stock):
    async def levels(self, skus: set[str], picture: bytearray) -> dict[str, int]:
        return {}
