"""Whatever a use of the database comes to, at whatever moment: a key is worked on once, and its caller is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, text

from ramet.clock import VirtualClock
from ramet.errors import Refusal, StorageError
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.base import Unit
from ramet.storage.lots.lots import CommandLots
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA
from ramet.tasks import Tasks
from ramet.telemetry.scope import Apart, Scope, Work, current_scope
from tests.unit.faults import Fault, Gate, OwnStorage, faults

REFUSED, BROKEN = 3, 4
GOOD, MIXED = (1, 2, 5, 6), (1, 2, 3, 4, 5, 6)
EFFECT = text("INSERT INTO effect VALUES (:number)")


class Taken(Refusal):
    """It is taken."""


CODEC = AnswerCodec[str](str.encode, bytes.decode, lambda _: b"", lambda _: Taken())


class Piecewise(OwnStorage):
    """As an engine that executes the statements of several commands together."""

    def unit(self, *, eager: bool = False, whole: bool = False) -> Any:
        unit: Any = super().unit(eager=eager, whole=whole)
        put: list[tuple[Executable, Any, asyncio.Future[Any]]] = []

        def add(statement: Executable, parameters: Any = None) -> Awaitable[Any]:
            put.append((statement, parameters, result := asyncio.get_running_loop().create_future()))
            return result

        async def execute(failed: Callable[[int], object]) -> None:
            error: BaseException | None = None
            for number, (statement, parameters, result) in enumerate(put):
                try:
                    done = error or await self.statement(lambda s=statement, p=parameters: unit.run(s, p))
                except Exception as raised:  # noqa: BLE001 - whoever has put it is told
                    failed(number)
                    done, error = raised, Apart()
                if result.done():
                    continue
                result.set_exception(done) if isinstance(done, BaseException) else result.set_result(done)

        if whole:
            unit.put = add
            unit.send = lambda failed: self.tasks.spawn(execute(failed))
        return unit

    tasks: Tasks


class Process:
    """Answers commands at the database of all, in lots where it is shared."""

    def __init__(self, world: World, *, shared: bool) -> None:
        self.gate = Gate()
        self.storage = Piecewise(world.storage, self.gate)
        self.storage.tasks = world.tasks
        self.storage.shared = shared
        lots = CommandLots(self.storage, world.tasks.spawn) if shared else None
        self.answers = Answers(self.storage, "take", lambda: 1.0, lots)
        self.world = world

    async def take(self, number: int, key: str) -> str:
        async def body() -> str:
            scope = current_scope.get()
            assert scope is not None
            assert isinstance(scope.unit, Unit)
            unit = scope.unit
            if number == REFUSED:
                raise Taken
            self.world.joint += scope.joint
            if scope.joint:
                await unit.run(EFFECT, {"number": number})
            else:
                await self.storage.statement(lambda: unit.run(EFFECT, {"number": number}))
            if number == BROKEN:
                raise LookupError("broken")
            return f"took {number}"

        return await self.answers.once(Scope("orders", Work.COMMAND, "take", key), key, body, CODEC)

    async def repeat(self, number: int) -> str:
        """As a caller does that wants to know."""
        while True:
            try:
                return await self.take(number, f"key {number}")
            except Taken:
                return "taken"
            except LookupError:
                return "broken"
            except (StorageError, RuntimeError):
                self.world.repeated[number] += 1
                assert self.world.repeated[number] < 20


class World:
    """Two processes, the first of which meets the fault; where the database is not shared, there is one."""

    def __init__(self, folder: Path, numbers: Sequence[int], *, shared: bool) -> None:
        self.numbers = numbers
        self.joint = 0
        self.clock = VirtualClock()
        self.storage = SqliteStorage("orders", folder / "orders.sqlite", TEMPORARY)
        self.tasks = Tasks()
        self.repeated: Counter[int] = Counter()
        self.first = Process(self, shared=shared)
        self.other = Process(self, shared=shared) if shared else self.first

    async def run(self, fault: Fault) -> None:
        await self.storage.open([*SCHEMA, "CREATE TABLE effect (number INTEGER)"])
        assert await self.first.take(0, "key 0") == "took 0"  # what they do is seen when they are alone
        self.first.storage.fault = fault
        fault.arm()
        asked = [self.tasks.spawn(self.first.repeat(number)) for number in self.numbers]
        await self.clock.settle()
        asked += [self.tasks.spawn(self.other.repeat(number)) for number in self.numbers]  # a caller has lost patience
        await self.clock.settle()
        self.first.storage.fault = Fault()
        self.first.gate.wake()
        answers = await asyncio.gather(*asked)
        answers += [await self.other.repeat(number) for number in self.numbers]
        told = {REFUSED: "taken", BROKEN: "broken"}
        assert answers == [told.get(number, f"took {number}") for number in self.numbers] * 3

    async def check(self, what: str) -> None:
        effects = [number for (number,) in await self.storage.fetch("SELECT number FROM effect ORDER BY number")]
        assert effects == [0, *(number for number in self.numbers if number not in {REFUSED, BROKEN})], what
        keys = await self.storage.fetch("SELECT key FROM ramet_inbox ORDER BY key")
        assert keys == [("key 0",), *((f"key {number}",) for number in self.numbers if number != BROKEN)], what

    async def close(self) -> None:
        await self.tasks.stop()
        await self.storage.close()


@pytest.mark.parametrize("numbers", [GOOD, MIXED])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("kind", ["before", "after", "away", "odd", "frozen", "late"])
async def test_every_use_of_the_database_may_fail(
    tmp_path: Path, kind: str, *, shared: bool, numbers: Sequence[int]
) -> None:
    for fault, folder in faults(kind, tmp_path):
        it = World(folder, numbers, shared=shared)
        await it.run(fault)
        await it.check(str(fault))
        await it.close()
        assert fault.met.is_set() or bool(it.joint) == shared
