#: 17: StockService.reserve takes (sku, order_id), but its contract says (order_id, sku). Give it the contract's parameters: `async def reserve(self, order_id, sku)`.
#: 18: StockService.release takes (order_id, reason), but its contract says (order_id). Give it the contract's parameters: `async def release(self, order_id)`.
"""A service takes what its contract says."""

from __future__ import annotations
from ramet import Contract, command


class Stock(Contract, version="1.0.0"):
    @command
    async def reserve(self, order_id: str, sku: str) -> None: ...
    @command
    async def release(self, order_id: str) -> None: ...


class StockService(Stock):
    async def reserve(self, sku: str, order_id: str) -> None: ...
    async def release(self, order_id: str, reason: str) -> None: ...
