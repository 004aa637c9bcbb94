#: 20: OrdersService.payments is annotated, and is the name of a method. Give what it depends on another name.
"""One name for one thing."""

from __future__ import annotations
from ramet import Contract, query


class Payments(Contract, version="1.0.0"): ...


class PaymentsService(Payments): ...


class Orders(Contract, version="1.0.0"):
    @query
    async def payments(self, order_id: str) -> int: ...


class OrdersService(Orders):
    payments: Payments

    async def payments(self, order_id: str) -> int:
        return 0
