#: 12: OutOfStock has the status 503. A refusal is the caller's to mend: write one of 400 to 499.
#: 14: OutOfStock: the fact "code" hides what every refusal has. Give it another name.
"""A fact has a name of its own, and a refusal a status of the 400s."""

from __future__ import annotations
from ramet import Contract, Refusal, command


class Stock(Contract, version="1.0.0"):
    class OutOfStock(
        Refusal,
        status=503,
    ):
        code: str

    @command(refuses=OutOfStock)
    async def reserve(self, sku: str) -> None: ...


class StockService(Stock):
    async def reserve(self, sku: str) -> None: ...
