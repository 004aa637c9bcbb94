"""A saga starts once for a key, whoever starts it at the same time, and who came later is told which it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from ramet.clock import SystemClock
from ramet.contract.saga import Saga, step
from ramet.contract.service import SagaRef
from ramet.contract.struct import Struct
from ramet.sagas.definition import make_definition
from ramet.sagas.engine import SagaEngine
from ramet.sagas.journal import SCHEMA as SAGAS
from ramet.storage.base import Unit
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.storage.work import transact
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.telemetry.scope import Scope, Work
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")
CONTEXT = Context(execution="e", trace="t")
MARKS = "CREATE TABLE IF NOT EXISTS mark (saga TEXT NOT NULL)"


class Order(Saga):
    class State(Struct):
        number: int = 0

    @step
    async def only(self, state: State) -> State:
        return state


class Process:
    """One of several at the same database."""

    def __init__(self, storage: PostgresStorage, tasks: Tasks) -> None:
        self.storage = storage
        definition = make_definition(Order, Order())
        self.engine = SagaEngine(
            "orders", [definition], storage=storage, clock=SystemClock(), spawn=tasks.spawn, withdraw=self._withdraw
        )

    @staticmethod
    async def _withdraw(method: str, key: str) -> None:
        raise AssertionError(f"{method} {key} was not called")

    async def start(self, key: str, *, write: bool = False) -> SagaRef:
        """Start a saga in a transaction, with or without another row in it."""
        scope = Scope("orders", Work.COMMAND, "start")

        async def body() -> SagaRef:
            unit = scope.unit
            assert isinstance(unit, Unit)
            started = await self.engine.begin(unit, Order, key=key, state=Order.State(), context=CONTEXT)
            if write:
                await unit.run(text("INSERT INTO mark VALUES (:saga)"), {"saga": started.id})
            return started

        return await transact(self.storage, scope, body)


@pytest.fixture
async def processes(server: PostgresServer) -> AsyncIterator[list[Process]]:
    tasks = Tasks()
    storages = [PostgresStorage("orders", f"{server.url}/postgres") for _ in range(2)]
    for storage in storages:
        await storage.open((*SCHEMA, *SAGAS, MARKS))
    yield [Process(storage, tasks) for storage in storages]
    await tasks.stop()
    for storage in storages:
        await storage.close()


@pytest.mark.parametrize("write", [False, True])
async def test_one_of_many_starts_it_and_the_others_are_told_of_that_one(processes: list[Process], write: bool) -> None:
    key = f"raced {write}"
    refs = await asyncio.gather(*(one.start(key, write=write) for one in processes for _ in range(4)))
    assert sorted(ref.started for ref in refs) == [False] * 7 + [True]
    assert len({ref.id for ref in refs}) == 1
    rows = await processes[0].storage.fetch("SELECT id FROM ramet_saga WHERE business_key = ?", key)
    assert rows == [(refs[0].id,)]
    if write:
        assert await processes[0].storage.fetch("SELECT DISTINCT saga FROM mark") == rows


async def test_who_comes_later_is_told_of_the_first(processes: list[Process]) -> None:
    first, second = await processes[0].start("later"), await processes[1].start("later")
    assert (first.started, second.started, second.id) == (True, False, first.id)


async def test_a_start_that_is_rolled_back_leaves_the_key_free(processes: list[Process]) -> None:
    scope = Scope("orders", Work.COMMAND, "start")

    async def body() -> None:
        assert isinstance(scope.unit, Unit)
        await processes[0].engine.begin(scope.unit, Order, key="free", state=Order.State(), context=CONTEXT)
        raise LookupError

    with pytest.raises(LookupError):
        await transact(processes[0].storage, scope, body)
    assert (await processes[1].start("free")).started


async def test_a_start_looks_for_its_key_only_after_one_whose_key_was_taken(processes: list[Process]) -> None:
    one, rows = processes[0], processes[0].storage.rows

    async def groups(key: str) -> tuple[bool, int]:
        before = rows.groups
        return (await one.start(key)).started, rows.groups - before

    assert await groups("seldom") == (True, 1)
    assert await groups("seldom") == (False, 1)
    assert await groups("seldom again") == (True, 2)
    assert await groups("seldom again") == (False, 1)
