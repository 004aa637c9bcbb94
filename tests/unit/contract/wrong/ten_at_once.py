#: 19: The event Sold has the key "order", but no such field. Its fields are order_id.
#: 23: The saga Checkout has no steps. Decorate its methods with @step, in their order.
#: 31: The contract Stock has the version "1", which is not a semantic version. Write MAJOR.MINOR.PATCH, such as "1.0.0".
#: 33: OutOfStock: the fact "skus": list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
#: 36: Stock.level: the parameter "sku" has no type. Annotate it: `sku: str`, for instance.
#: 38: Stock.reserve is not async. Write `async def reserve(…)`: any call may travel.
#: 38: Stock.reserve: the parameter "lines" has the unknown type "Lines". Import Lines, or mend the name.
#: 39: Stock.release is neither a @query nor a @command. Decorate it; what is private to the service belongs into the service.
#: 42: StockService does not implement Stock.reserve. Add `async def reserve(self, lines)`.
#: 43: StockService.payments has the unknown type "Payments". Import Payments, or mend the name.
#: 48: StockService.take is @on(Gone), which is not an event. Declare `class Gone(Event)`.
#: 50: StockService.tidy has a wrong schedule: "often" is neither a duration such as "10m" nor cron text such as "0 3 * * *" (minute, hour, day of the month, month, day of the week).
"""All mistakes of an application are reported at once."""

from __future__ import annotations
from ramet import Contract, Event, Refusal, Saga, Struct, command, every, on, query


class Sold(Event, key="order"):
    order_id: str


class Checkout(Saga):
    class State(Struct): ...


class Gone(Struct):
    sku: str


class Stock(Contract, version="1"):
    class OutOfStock(Refusal):
        skus: list[str]

    @query
    async def level(self, sku) -> int: ...
    @command(refuses=OutOfStock)
    def reserve(self, lines: Lines) -> None: ...
    async def release(self) -> None: ...


class StockService(Stock, sagas=(Checkout,)):
    payments: Payments

    async def level(self, sku: str) -> int:
        return 0

    @on(Gone)
    async def take(self, event: Gone) -> None: ...
    @every("often")
    async def tidy(self) -> None: ...
