"""Two halves of an application, each a running application of its own, call each other as if they were one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from ramet import Application, Contract, Database, Refusal, calling, command, query
from ramet.clock import SystemClock
from ramet.contract.reading.application import read
from ramet.errors import (
    CommandAfterWrite,
    DeadlineExceeded,
    EffectInQuery,
    InternalError,
    InvalidArguments,
    NoSuchMethod,
    OutcomeUnknown,
    Unavailable,
)
from ramet.runtime.migrating import create_tables
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import temporary
from ramet.telemetry.context import current_context
from ramet.transport.base import Call, Peer

TABLES = MetaData()
TAKEN = Table("taken", TABLES, Column("id", Integer, primary_key=True), Column("sku", String))


class Stock(Contract, version="1.0.0"):
    class Gone(Refusal):
        """There is no {sku}."""

        sku: str

    @query
    async def left(self, sku: str, at_most: int = 10) -> int: ...

    @command(refuses=Gone)
    async def take(self, sku: str) -> int: ...

    @query
    async def sneak(self) -> None: ...

    @query
    async def fail(self) -> None: ...

    @query
    async def trace(self) -> str: ...


class StockService(Stock, tables=TABLES):
    db: Database

    async def left(self, sku: str, at_most: int = 10) -> int:
        taken = await self.db.execute(select(TAKEN.c.id).where(TAKEN.c.sku == sku))
        return at_most - len(taken.all())

    async def take(self, sku: str) -> int:
        if sku == "gold":
            raise self.Gone(sku=sku)
        await self.db.execute(insert(TAKEN).values(sku=sku))
        return await self.left(sku)

    async def sneak(self) -> None:
        await self.db.execute(insert(TAKEN).values(sku="sneaked"))

    async def fail(self) -> None:
        raise LookupError("private")

    async def trace(self) -> str:
        context = current_context.get()
        assert context is not None
        return context.trace


class Shop(Contract, version="1.0.0"):
    @command
    async def buy(self, sku: str) -> int: ...

    @command
    async def buy_too_late(self, sku: str) -> int: ...


class ShopService(Shop, tables=TABLES):
    db: Database
    stock: Stock

    async def buy(self, sku: str) -> int:
        return await self.stock.take(sku)

    async def buy_too_late(self, sku: str) -> int:
        await self.db.execute(insert(TAKEN).values(sku="mine"))
        return await self.stock.take(sku)


class Wire:
    """Carries a call to whoever is at the other end; `fault` is what happens instead."""

    def __init__(self) -> None:
        self.end: Running | None = None
        self.fault: Exception | None = None
        self.carried: list[Call] = []
        self.keeps_waiting = False

    async def call(self, call: Call, *, repeatable: bool) -> bytes:
        self.carried.append(call)
        if self.fault is not None:
            raise self.fault
        if self.keeps_waiting:
            await asyncio.Event().wait()
        assert repeatable == (call.key is not None or not call.method.endswith(("take", "buy", "buy_too_late")))
        assert self.end is not None
        return await self.end.answering(call, Peer("test"))


@asynccontextmanager
async def halves() -> AsyncIterator[tuple[Running, Wire]]:
    """The shop without its stock, and the wire to that."""
    declared, wire = read(Application("halves", services=[StockService, ShopService])), Wire()

    def half(name: str) -> Running:
        options = Options(clock=SystemClock(), prepare=create_tables, hosts=frozenset({name}), carrier=lambda _: wire)
        return Running(declared, temporary(), options)

    stock, shop = half("stock"), half("shop")
    wire.end = stock
    await stock.start()
    await shop.start()
    try:
        yield shop, wire
    finally:
        await shop.stop()
        await stock.stop()


async def test_a_query_is_answered_elsewhere_with_its_defaults() -> None:
    async with halves() as (shop, _):
        assert await shop.client(Stock).left("tea") == 10
        assert await shop.client(Stock).left("tea", at_most=3) == 3


async def test_a_command_commits_where_it_is_executed() -> None:
    async with halves() as (shop, _):
        assert await shop.client(Shop).buy("tea") == 9
        assert await shop.client(Stock).left("tea") == 9


async def test_a_repeated_key_finds_the_recorded_answer() -> None:
    async with halves() as (shop, _):
        stock = shop.client(Stock)
        for _attempt in range(2):
            async with calling(key="once"):
                assert await stock.take("tea") == 9
        assert await stock.left("tea") == 9


async def test_a_refusal_comes_back_as_what_it_was() -> None:
    async with halves() as (shop, _):
        with pytest.raises(Stock.Gone, match="There is no gold"):
            await shop.client(Stock).take("gold")


async def test_a_failure_comes_back_as_an_id_alone() -> None:
    async with halves() as (shop, _):
        with pytest.raises(InternalError) as failure:
            await shop.client(Stock).fail()
        assert "private" not in str(failure.value)


async def test_arguments_that_do_not_fit_are_refused_there() -> None:
    async with halves() as (shop, _):
        with pytest.raises(InvalidArguments, match="left"):
            await shop.client(Stock).left(7)  # type: ignore[arg-type]  # the mistake


async def test_a_query_has_no_effects_there_either() -> None:
    async with halves() as (shop, _):
        with pytest.raises((EffectInQuery, InternalError)):
            await shop.client(Stock).sneak()
        assert await shop.client(Stock).left("sneaked") == 10


async def test_no_command_is_sent_after_a_write() -> None:
    async with halves() as (shop, wire):
        with pytest.raises((CommandAfterWrite, InternalError)):
            await shop.client(Shop).buy_too_late("tea")
        assert not [call for call in wire.carried if call.method == "stock.take"]


async def test_a_trace_goes_on_there() -> None:
    async with halves() as (shop, wire):
        assert await shop.client(Stock).trace() == wire.carried[0].context.trace


async def test_a_command_whose_answer_is_late_may_have_been_executed() -> None:
    async with halves() as (shop, wire):
        wire.fault = DeadlineExceeded("late")
        with pytest.raises(OutcomeUnknown, match=r"stock\.take did not answer in time"):
            await shop.client(Stock).take("tea")
        with pytest.raises(DeadlineExceeded):
            await shop.client(Stock).left("tea")


async def test_a_query_whose_replicas_are_lost_is_unavailable_since_it_has_no_effects() -> None:
    async with halves() as (shop, wire):
        wire.fault = OutcomeUnknown("The connection was lost.")
        with pytest.raises(Unavailable, match=r"^stock\.left was not answered; it has no effects: The connection"):
            await shop.client(Stock).left("tea")
        with pytest.raises(OutcomeUnknown, match=r"^The connection was lost\.$"):
            await shop.client(Stock).take("tea")


async def test_a_command_that_the_caller_has_no_more_time_for_may_have_been_executed() -> None:
    async with halves() as (shop, wire):
        wire.keeps_waiting = True
        with pytest.raises(OutcomeUnknown, match=r"within 0\.01 s\. stock\.take may have been executed: ask, or call"):
            async with calling(timeout=0.01):
                await shop.client(Stock).take("tea")
        with pytest.raises(DeadlineExceeded):
            async with calling(timeout=0.01):
                await shop.client(Stock).left("tea")


async def test_who_cannot_be_reached_is_unavailable() -> None:
    async with halves() as (shop, wire):
        wire.fault = Unavailable("nobody there")
        with pytest.raises(Unavailable, match="nobody there"):
            await shop.client(Stock).take("tea")


async def test_a_withdrawn_key_is_never_worked_on() -> None:
    async with halves() as (shop, _):
        await shop.exchange.withdraw("stock.take", "late")
        with pytest.raises(Exception, match="withdrawn"):
            async with calling(key="late"):
                await shop.client(Stock).take("tea")
        assert await shop.client(Stock).left("tea") == 10


@pytest.mark.parametrize("call", ["left", "take"])
async def test_a_method_that_the_release_of_the_callee_does_not_have_is_named_to_the_caller(
    call: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with halves() as (shop, wire):
        del wire.end.answering._methods[f"stock.{call}"]
        with pytest.raises(
            NoSuchMethod, match=f'answers stock, and has no method "{call}" of it: it is of another release'
        ):
            await getattr(shop.client(Stock), call)("tea")
    (told,) = [record.getMessage() for record in caplog.records if record.name == "ramet.calls"]
    assert told.startswith(f"A call of stock.{call} failed: this process answers stock, and has no method")


async def test_who_does_not_have_a_contract_says_so() -> None:
    async with halves() as (shop, wire):
        wire.end = shop
        with pytest.raises(Unavailable, match="stock is not answered by this process"):
            await shop.client(Stock).left("tea")


async def test_who_answers_calls_of_other_processes_knows_how_long_they_take() -> None:
    async with halves() as (shop, wire):
        assert wire.end is not None
        stock = shop.client(Stock)
        for _ in range(32):
            await stock.left("tea")
        left = dict(wire.end.counters)["stock.left"]
        assert (left.calls, sum(left.buckets)) == (32, 1)
        assert left.percentile(0.5) is not None
