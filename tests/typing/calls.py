"""Calls through an annotated dependency, a client and a running test are fully typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import assert_type

from ramet import Clock, Contract, Refusal, Secret, Settings, Struct, VirtualClock, calling, client, command, query
from ramet.settings import seconds


class Line(Struct):
    sku: str
    quantity: int = 1


class Stock(Contract, version="1.0.0"):
    class OutOfStock(Refusal, status=410):
        sku: str
        left: int = 0

    @query
    async def level(self, sku: str, *, at: str = "here") -> int: ...

    @query(refuses=OutOfStock)
    async def levels(self, skus: tuple[str, ...]) -> Mapping[str, int]: ...

    @command(refuses=(OutOfStock,))
    async def reserve(self, order_id: str, lines: tuple[Line, ...] = ()) -> Line | None: ...


class StockSettings(Settings):
    hold: timedelta = timedelta(minutes=5)
    key: Secret


class StockService(Stock):
    settings: StockSettings
    clock: Clock

    async def level(self, sku: str, *, at: str = "here") -> int:
        assert_type(self.settings.hold, timedelta)
        assert_type(self.settings.key.reveal(), str)
        assert_type(self.clock.monotonic(), float)
        raise self.OutOfStock(sku=sku)


async def calls_are_typed(stock: Stock) -> None:
    assert_type(await stock.level("tea"), int)
    assert_type(await stock.level("tea", at="there"), int)
    assert_type(await stock.levels(("tea",)), Mapping[str, int])
    assert_type(await stock.reserve("1"), Line | None)


async def wrong_calls_are_refused(stock: Stock) -> None:
    await stock.level(1)  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    await stock.level("tea", "there")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    await stock.level()  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    await stock.reserve("1", [Line(sku="tea")])  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    await stock.reserve("1", colour="red")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    await stock.remove("1")  # type: ignore[attr-defined]  # refused  # pyright: ignore[reportAttributeAccessIssue]
    text: str = await stock.level("tea")  # type: ignore[assignment]  # refused  # pyright: ignore[reportAssignmentType]
    del text


async def a_client_is_its_contract() -> None:
    stock = client(Stock)
    assert_type(stock, Stock)
    assert_type(await stock.level("tea"), int)
    async with calling(timeout="2s", key="order-17"):
        assert_type(await stock.reserve("17"), Line | None)


def a_refusal_has_its_facts(refusal: Stock.OutOfStock) -> None:
    assert_type(refusal.sku, str)
    assert_type(refusal.left, int)
    Stock.OutOfStock(sku="tea")
    Stock.OutOfStock()  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    Stock.OutOfStock("tea")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    Stock.OutOfStock(sku="tea", left="two")  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    Stock.OutOfStock(sku="tea", colour=1)  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]


def values_are_frozen_and_keyword_only(line: Line, settings: StockSettings) -> None:
    line.quantity = 2  # type: ignore[misc]  # refused  # pyright: ignore[reportAttributeAccessIssue]
    settings.hold = timedelta()  # type: ignore[misc]  # refused  # pyright: ignore[reportAttributeAccessIssue]
    Line("tea")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    StockSettings()  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue]
    StockSettings(key="plain")  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]


def decorators_keep_the_type_of_a_method(stock: Stock) -> None:
    asked: Callable[[str], Awaitable[int]] = stock.level
    wrong: Callable[[int], Awaitable[int]] = stock.level  # type: ignore[assignment]  # refused  # pyright: ignore[reportAssignmentType]
    del asked, wrong


class OtherService(Stock):
    async def level(self, sku: int) -> int:  # type: ignore[override]  # refused  # pyright: ignore[reportIncompatibleMethodOverride]
        return sku


class Wrong(Contract, version="1.0.0"):
    @query  # type: ignore[type-var]  # refused  # pyright: ignore[reportArgumentType, reportUntypedFunctionDecorator]
    def level(self, sku: str) -> int: ...

    @command(refuses=ValueError)  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    async def put(self) -> None: ...


class Odd(Contract, version=1): ...  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]


def durations_and_clocks() -> None:
    assert_type(seconds("5m"), float)
    assert_type(VirtualClock(seed=1).id(), str)
    seconds(None)  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
