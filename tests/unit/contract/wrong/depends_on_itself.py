#: 12: OrdersService.orders depends on its own contract. Call the methods of `self`, and remove the annotation.
"""A service calls its own methods directly."""

from __future__ import annotations
from ramet import Contract


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    orders: Orders
