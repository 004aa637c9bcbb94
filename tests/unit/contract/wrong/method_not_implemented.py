#: 13: StockService does not implement Stock.reserve. Add `async def reserve(self, order_id, sku)`.
"""A service does what its contract says."""

from __future__ import annotations
from ramet import Contract, command


class Stock(Contract, version="1.0.0"):
    @command
    async def reserve(self, order_id: str, sku: str) -> None: ...


class StockService(Stock): ...
