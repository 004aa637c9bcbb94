#: 18: OrdersService.payments depends on the service PaymentsService. Depend on its contract: `payments: Payments`.
"""Who implements a contract is nobody's business."""

from __future__ import annotations
from ramet import Contract


class Payments(Contract, version="1.0.0"): ...


class PaymentsService(Payments): ...


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    payments: PaymentsService
