"""The contract that the mounted applications use."""

from __future__ import annotations

from typing import Any

from ramet.contract.service import Contract, query
from ramet.contract.struct import Struct


class Line(Struct):
    sku: str


class Inventory(Contract, version="1.0.0"):
    @query
    async def stock(self, sku: str) -> int: ...


class Clients:
    """Gives clients as a running application does."""

    def client_outside(self, cls: type[Any]) -> Any:
        assert cls is Inventory
        return self

    async def stock(self, sku: str) -> int:
        return len(sku)
