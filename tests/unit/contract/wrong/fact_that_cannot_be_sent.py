#: 12: OutOfStock: the fact "others": list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
#: 13: OutOfStock: the fact "because": Exception cannot be sent: it is neither a plain value nor a Struct. Send a Struct with the fields that the other side needs.
"""A refusal crosses the wire with its facts."""

from __future__ import annotations
from ramet import Contract, Refusal, command


class Stock(Contract, version="1.0.0"):
    class OutOfStock(Refusal):
        sku: str
        others: list[str]
        because: Exception

    @command(refuses=OutOfStock)
    async def reserve(self, sku: str) -> None: ...


class StockService(Stock):
    async def reserve(self, sku: str) -> None: ...
