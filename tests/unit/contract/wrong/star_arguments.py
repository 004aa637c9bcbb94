#: 13: Stock.put takes *skus: a contract says what it takes. Name each parameter, or take a tuple or a Struct.
#: 14: Stock.put takes **options: a contract says what it takes. Name each parameter, or take a tuple or a Struct.
"""A contract says what it takes."""

from __future__ import annotations
from ramet import Contract, command


class Stock(Contract, version="1.0.0"):
    @command
    async def put(
        self,
        *skus: str,
        **options: str,
    ) -> None: ...


class StockService(Stock):
    async def put(self, *skus: str, **options: str) -> None: ...
