"""Read by mypy and pyright only: what an editor must know of declarations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import assert_type

from ramet import (
    Api,
    Caller,
    Contract,
    Event,
    Refusal,
    Saga,
    SagaRef,
    Struct,
    command,
    every,
    get,
    on,
    post,
    query,
    step,
)


class Line(Struct):
    sku: str
    quantity: int = 1


class Reservation(Struct):
    id: str
    lines: tuple[Line, ...]


class StockRanOut(Event, key="sku"):
    sku: str


class Inventory(Contract, version="1.0.0"):
    """Keeps stock levels."""

    class OutOfStock(Refusal):
        """There are not enough of {sku}."""

        sku: str

    @query
    async def stock(self, sku: str) -> int: ...

    @command(refuses=OutOfStock)
    async def reserve(self, order_id: str, lines: tuple[Line, ...]) -> Reservation: ...


class Hold(Saga):
    class State(Struct):
        order_id: str
        lines: tuple[Line, ...] = ()
        reservation_id: str | None = None

    inventory: Inventory

    @step
    async def reserve(self, state: State) -> State:
        assert_type(await self.inventory.reserve(state.order_id, state.lines), Reservation)
        return state

    @reserve.undo
    async def release(self, state: State) -> None: ...

    @step(pivot=True, timeout="5s")
    async def ship(self, state: State) -> State:
        return state


class InventoryService(Inventory, sagas=(Hold,)):
    async def stock(self, sku: str) -> int:
        return 0

    @on(StockRanOut)
    async def order_more(self, event: StockRanOut) -> None:
        assert_type(event.sku, str)

    @every("1h")
    async def tidy(self) -> None:
        await self.publish(StockRanOut(sku="tea"))
        reference = await self.start(Hold, key="1", state=Hold.State(order_id="1"))
        assert_type(reference, SagaRef)


class Shop(Api, prefix="/api", version="2.1.0"):
    inventory: Inventory

    @get("/stock/{sku}")
    async def level(self, sku: str) -> int:
        return await self.inventory.stock(sku)

    @post("/orders", status=201)
    async def place(self, order: Line, caller: Caller) -> Reservation:
        assert_type(caller.tenant, str | None)
        return await self.inventory.reserve(caller.subject, (order,))


async def a_call_through_an_annotated_dependency_is_typed(inventory: Inventory) -> None:
    assert_type(await inventory.stock("tea"), int)
    assert_type(await inventory.reserve("1", (Line(sku="tea"),)), Reservation)
    await inventory.stock(1)  # type: ignore[arg-type]  # must be refused  # pyright: ignore[reportArgumentType]
    inventory.reserv  # type: ignore[attr-defined]  # must be refused  # pyright: ignore[reportAttributeAccessIssue]


def values_are_frozen_and_keyword_only(line: Line) -> None:
    line.quantity = 2  # type: ignore[misc]  # must be refused  # pyright: ignore[reportAttributeAccessIssue]
    Line("tea")  # type: ignore[call-arg]  # must be refused  # pyright: ignore[reportCallIssue]
    StockRanOut()  # type: ignore[call-arg]  # must be refused  # pyright: ignore[reportCallIssue]


def decorators_keep_the_type_of_a_method(api: Shop) -> None:
    asked: Callable[[str], Awaitable[int]] = api.level
    del asked


def a_refusal_has_its_fields(refusal: Inventory.OutOfStock) -> None:
    assert_type(refusal.sku, str)
    Inventory.OutOfStock(sku="tea")
    Inventory.OutOfStock(sku=1)  # type: ignore[arg-type]  # must be refused  # pyright: ignore[reportArgumentType]
