#: 17: OrdersService.payments depends on Payments, which no service implements. Add the service that implements Payments to the list of services.
"""What is needed is implemented by somebody."""

from __future__ import annotations
from ramet import Contract


class Payments(Contract, version="1.0.0"): ...


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    """Sells, and asks payments: for money."""

    payments: Payments
