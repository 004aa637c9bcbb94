#: 9: Stock.startup is a hook of the service. Move it to the service.
"""What happens at the start is private to the service."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="1.0.0"):
    async def startup(self) -> None: ...


class StockService(Stock): ...
