#: 15: The contracts Stock and Warehouse are both called "stock". Give one a name of its own: `class Warehouse(Contract, name="…")`.
#: 21: The name "stock" of Shop is taken. Give it one of its own: `class Shop(Api, name="…")`.
"""Two contracts of one name."""

from __future__ import annotations
from ramet import Api, Contract, get


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock): ...


class Warehouse(Contract, name="stock", version="1.0.0"): ...


class WarehouseService(Warehouse): ...


class Shop(Api, name="stock"):
    @get("/")
    async def index(self) -> str:
        return ""
