#: 17: These services wait for each other to start: orders → payments → orders. Remove startup() from OrdersService, or let one of them learn by an event what it asks for now.
"""Two services that ask each other while they start would wait for ever."""

from __future__ import annotations
from ramet import Contract


class Orders(Contract, version="1.0.0"): ...


class Payments(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    payments: Payments

    async def startup(self) -> None: ...


class PaymentsService(Payments):
    orders: Orders
