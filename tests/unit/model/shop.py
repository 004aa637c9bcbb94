"""A small application with one of everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ramet import (
    Api,
    Application,
    Contract,
    Database,
    Event,
    Mounted,
    Refusal,
    Saga,
    Secret,
    Settings,
    Struct,
    command,
    every,
    get,
    on,
    query,
    step,
    wait,
)


class Line(Struct):
    sku: str
    quantity: int = 1


class Order(Struct):
    lines: tuple[Line, ...] = ()
    placed_at: datetime = datetime(2030, 1, 1, tzinfo=UTC)


class Reserved(Event, key="order_id", version=2):
    """Goods were put aside."""

    order_id: str


class StockSettings(Settings):
    hold: timedelta = timedelta(minutes=5)
    key: Secret = Secret("very secret")
    name: str


class OrderBook(Contract, version="1.2.0", publishes=()):
    """Keeps orders."""

    @command
    async def place(self, order: Order, *, at_once: bool = False, note: str | None = None) -> str:
        """Place it."""


class Stock(Contract, version="1.0.0", publishes=Reserved):
    """Keeps goods."""

    class OutOfStock(Refusal, status=410):
        """There is no {sku}."""

        sku: str
        left: int = 0

    @query
    async def level(self, sku: str) -> int: ...

    @command(refuses=OutOfStock)
    async def reserve(self, order_id: str, lines: tuple[Line, ...]) -> None: ...


class Checkout(Saga):
    """From the cart to the door."""

    class State(Struct):
        order_id: str
        until: datetime

    stock: Stock

    @step(timeout="2s", attempts=3, backoff="50ms")
    async def reserve(self, state: State) -> State:
        return state

    @reserve.undo
    async def release(self, state: State) -> None: ...

    @wait(Reserved, timeout="1h")
    async def reserved(self, state: State, event: Reserved) -> State:
        return state

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        return state


class OrderBookService(OrderBook, sagas=Checkout):
    db: Database
    stock: Stock

    async def place(self, order: Order, *, at_once: bool = False, note: str | None = None) -> str:
        return ""

    @on(Reserved, start="retained", attempts=3, backoff="1s")
    async def note_it(self, event: Reserved) -> None: ...


class StockService(Stock):
    """On the shelf."""

    settings: StockSettings

    async def level(self, sku: str) -> int:
        return 0

    async def reserve(self, order_id: str, lines: tuple[Line, ...]) -> None: ...

    @every("0 3 * * *", zone="Europe/Zurich")
    async def count(self) -> None: ...

    @every(timedelta(seconds=90))
    async def sweep(self) -> None: ...


class Shop(Api, prefix="/api", version="2.0.0"):
    """The shop."""

    book: OrderBook

    @get("/orders/{id}")
    async def order(self, id: str) -> str:  # noqa: A002 - the name in the path
        """One order."""
        return id


SHOP = Application(
    "shop",
    services=[OrderBookService, StockService, Shop, Mounted(name="legacy", app="old.wsgi:application", prefix="/old")],
)
