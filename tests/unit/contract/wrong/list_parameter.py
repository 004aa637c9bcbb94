#: 10: Stock.put: the parameter "skus": list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
"""A list could be changed by caller and callee."""

from __future__ import annotations
from ramet import Contract, command


class Stock(Contract, version="1.0.0"):
    @command
    async def put(self, skus: list[str]) -> None: ...


class StockService(Stock):
    async def put(self, skus: list[str]) -> None: ...
