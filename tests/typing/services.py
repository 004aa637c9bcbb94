"""Events, handlers, schedules, sagas and applications are typed, and what is wrong in them is refused."""

from __future__ import annotations

from typing import assert_type

from sqlalchemy import MetaData

from ramet import (
    Application,
    Contract,
    Database,
    Event,
    Mounted,
    Saga,
    SagaRef,
    Struct,
    command,
    every,
    on,
    query,
    step,
    wait,
)


class Sold(Event, key="order_id", version=2):
    order_id: str
    count: int = 1


class Stock(Contract, version="1.0.0", publishes=Sold):
    @query
    async def level(self, sku: str) -> int: ...

    @command
    async def reserve(self, sku: str) -> str: ...


class Checkout(Saga):
    class State(Struct):
        order_id: str
        reservation: str | None = None

    stock: Stock

    @step
    async def reserve(self, state: State) -> State:
        assert_type(await self.stock.reserve("tea"), str)
        return state

    @reserve.undo
    async def release(self, state: State) -> None:
        assert_type(state.reservation, str | None)

    @wait(Sold, timeout="1h")
    async def sold(self, state: State, event: Sold) -> State:
        assert_type(event.count, int)
        return state

    @wait(delay="10m")
    async def cooled(self, state: State) -> State:
        return state

    @step(pivot=True, timeout="2s", attempts=3, backoff=0.5, parallel=None)
    async def ship(self, state: State) -> State:
        return state

    @step  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    def later(self, state: State) -> State:
        return state

    @step(timeout=None)  # type: ignore[call-overload, untyped-decorator]  # refused  # pyright: ignore[reportArgumentType]
    async def never(self, state: State) -> State:
        return state


class StockService(Stock, tables=MetaData(), sagas=(Checkout,)):
    db: Database

    async def level(self, sku: str) -> int:
        return 0

    async def reserve(self, sku: str) -> str:
        await self.publish(Sold(order_id="1"))
        found = await self.start(Checkout, key="1", state=Checkout.State(order_id="1"))
        assert_type(found, SagaRef)
        assert_type(found.started, bool)
        return found.id

    @on(Sold, start="retained", attempts=3, backoff="1s")
    async def note(self, event: Sold) -> None:
        assert_type(event.order_id, str)

    @every("0 3 * * *", zone="Europe/Zurich")
    async def count(self) -> None: ...

    async def wrong(self) -> None:
        await self.publish(Checkout.State(order_id="1"))  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
        await self.start(Stock, key="1", state=Struct())  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
        await self.start(Checkout, state=Struct())  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]

    @on(Sold, start="yesterday")  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    async def odd(self, event: Sold) -> None: ...

    @on(Checkout)  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    async def odder(self, event: Sold) -> None: ...

    @every(None)  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    async def oddest(self) -> None: ...


def an_application_is_a_list_of_parts() -> None:
    Application("shop", services=[StockService, Mounted(name="old", app=object()), "shop.orders"])
    Application("shop", services=StockService)
    Application("shop", services=[5])  # type: ignore[list-item]  # refused  # pyright: ignore[reportArgumentType]
    Application("shop")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]


def events_are_values(event: Sold) -> None:
    event.count = 2  # type: ignore[misc]  # refused  # pyright: ignore[reportAttributeAccessIssue]
    Sold("1")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
