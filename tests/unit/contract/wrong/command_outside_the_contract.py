#: 13: StockService.reserve is a @command, but not in the contract. Declare it in Stock: only the contract can be called.
"""Only the contract can be called."""

from __future__ import annotations
from ramet import Contract, command


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock):
    @command
    async def reserve(self, sku: str) -> None: ...
