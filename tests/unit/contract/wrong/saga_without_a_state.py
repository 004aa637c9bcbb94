#: 9: The saga Checkout has no State. Declare `class State(Struct)` inside it: what the steps pass on.
#: 9: The saga Checkout has no steps. Decorate its methods with @step, in their order.
"""A saga has a state and steps."""

from __future__ import annotations
from ramet import Contract, Saga


class Checkout(Saga): ...


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=Checkout): ...
