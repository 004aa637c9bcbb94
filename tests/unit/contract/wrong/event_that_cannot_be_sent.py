#: 10: The event Sold has the key "order_id", but no such field. Its fields are skus.
#: 10: The event Sold has the version 0. Count its incompatible changes: write 1, 2, 3, …
#: 11: Sold.skus: list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
"""An event crosses the wire."""

from __future__ import annotations
from ramet import Contract, Event


class Sold(Event, key="order_id", version=0):
    skus: list[str]


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock): ...
