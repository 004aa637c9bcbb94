"""Calls from outside of the services begin with a context, and never take for ever."""

from __future__ import annotations

import asyncio

import pytest

from ramet import Application, Contract, query
from ramet.clock import SystemClock
from ramet.contract.reading.application import read
from ramet.errors import DeadlineExceeded, InternalError
from ramet.runtime.calls import Exchange
from ramet.runtime.dispatch import answerers
from ramet.storage.lots.lots import CommandLots
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.tasks import Tasks
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.counters import Counters


class Slow(Contract, version="1.0.0"):
    @query
    async def never(self) -> None: ...

    @query
    async def fail(self) -> None: ...


class SlowService(Slow):
    async def never(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def fail(self) -> None:
        raise TimeoutError("the neighbour's")


@pytest.fixture
def client() -> Slow:
    clock, counters = SystemClock(), Counters()
    (service,) = read(Application("slow", services=SlowService)).services
    exchange = Exchange(clock=clock, counters=counters, strict=False, deadline=0.01)
    lots = CommandLots(SqliteStorage("slow"), Tasks().spawn)
    found = answerers(service, SlowService(), lots, clock=clock, counters=counters, frame_queries=False)
    exchange.add(service.contract, lambda: found)
    return exchange.client_outside(Slow)


async def test_a_call_without_a_context_has_the_default_deadline(client: Slow) -> None:
    with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s"):
        await client.never()


async def test_a_call_of_a_stream_that_goes_on_for_ever_has_it_too(client: Slow) -> None:
    token = current_context.set(Context(execution="e", trace="t"))
    try:
        with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s"):
            await client.never()
    finally:
        current_context.reset(token)


async def test_a_timeout_of_the_service_itself_is_its_defect(client: Slow) -> None:
    with pytest.raises(InternalError):
        await client.fail()
