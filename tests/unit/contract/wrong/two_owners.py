#: 8: The event Sold has 2 owners: Stock and Orders. Let one contract publish it; the others publish events of their own.
"""An event belongs to one contract."""

from __future__ import annotations
from ramet import Contract, Event


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0", publishes=(Sold,)): ...


class StockService(Stock): ...


class Orders(Contract, version="1.0.0", publishes=Sold): ...


class OrdersService(Orders): ...
