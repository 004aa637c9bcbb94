#: 15: OrdersService has an __init__, but the runtime makes its instance. Annotate what it needs, and prepare the rest in `async def startup(self)`.
#: 18: OrdersService.startup is not async. Write `async def startup(self)`.
"""The runtime makes the instance."""

from __future__ import annotations
from ramet import Contract


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders):
    size = 5

    def __init__(self) -> None:
        self.cache = {}

    def startup(self) -> None: ...
