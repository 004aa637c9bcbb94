#: 10: Stock.put takes sku by position only. Remove the `/`: arguments travel by name.
"""Arguments travel by name."""

from __future__ import annotations
from ramet import Contract, command


class Stock(Contract, version="1.0.0"):
    @command
    async def put(self, sku: str, /) -> None: ...


class StockService(Stock):
    async def put(self, sku: str, /) -> None: ...
