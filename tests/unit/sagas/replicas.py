"""Several processes of one service over one database: each with its own engine, and each can be frozen or killed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ramet.clock import VirtualClock
from ramet.contract.saga import Saga
from ramet.contract.struct import Event, Struct
from ramet.sagas.definition import make_definition
from ramet.sagas.engine import SagaEngine
from ramet.sagas.journal import SCHEMA, Journal
from ramet.sagas.moments import Moment
from ramet.sagas.views import Views
from ramet.storage.leases import Leases
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.storage.work import transact
from ramet.telemetry.context import Context
from ramet.telemetry.scope import Scope, Work, current_scope
from tests.unit.faults import Gate, OwnClock, OwnStorage
from tests.unit.sagas.world import Participant, Process


class Replica(Process):
    """One process."""

    def __init__(self, group: Group, sagas: Sequence[type[Saga]]) -> None:
        super().__init__(group.errors)
        self.gate = Gate()
        self.clock = OwnClock(group.clock, self.gate)
        self.storage = OwnStorage(group.storage, self.gate)
        self.there = group.there
        definitions = []
        for saga in sagas:
            instance = saga()
            instance.there = self  # type: ignore[attr-defined]  # as the runtime does
            definitions.append(make_definition(saga, instance, group.commands))
        self.engine = SagaEngine(
            "orders",
            definitions,
            storage=self.storage,
            clock=self.clock,
            spawn=self.spawn,
            withdraw=self.withdraw,
        )
        self.engine.report = group.moments.append
        self.leases = Leases(self.storage, clock=self.clock, spawn=self.spawn, about=self.engine.versions)
        self.engine.share(self.leases)

    async def call(self, method: str, what: str) -> None:
        """A command of somebody else: asked and answered while this process is not frozen."""
        await self.gate.passing()
        try:
            await self.there.call(method, what)
        finally:
            await self.gate.passing()

    async def withdraw(self, method: str, key: str) -> None:
        await self.gate.passing()
        await self.there.withdraw(method, key)
        await self.gate.passing()

    async def open(self, *, replaces: bool = False) -> None:
        await self.leases.join()
        await self.engine.check(replaces=replaces)
        await self.engine.start()

    async def stop(self) -> None:
        await self.engine.stop()
        await self.leases.leave()

    async def kill(self) -> None:
        self.storage.die()
        await super().kill()

    async def start(self, saga: type[Saga], key: str, state: Struct) -> str:
        context = Context(execution="request", trace="trace")
        return (await self.engine.launch(saga, key=key, state=state, context=context)).id

    async def begin(self, saga: type[Saga], key: str, state: Struct) -> None:
        """In the transaction of a command."""

        async def place() -> None:
            scope = current_scope.get()
            assert scope is not None
            scope.unit = scope.unit or self.storage.unit()
            context = Context(execution="request", trace="trace")
            await self.engine.begin(scope.unit, saga, key=key, state=state, context=context)  # type: ignore[arg-type]  # a unit, which a scope knows as an object

        await transact(self.storage, Scope("orders", Work.COMMAND, "place", self.clock.id()), place)

    async def publish(self, saga: type[Saga], event: Event) -> None:
        scope = Scope("orders", Work.HANDLER, "signal", self.clock.id())
        await transact(self.storage, scope, lambda: self.engine.signal(saga, event))


class Group:
    """The database, the clock, whom the sagas call, and the processes."""

    def __init__(self, folder: Path, *sagas: type[Saga]) -> None:
        self.clock = VirtualClock()
        self.storage = SqliteStorage("orders", folder / "orders.sqlite", TEMPORARY)
        self.storage.shared = True
        self.there = Participant()
        self.sagas = sagas
        self.commands: Sequence[str] = ()
        self.moments: list[Moment] = []
        self.errors: list[BaseException] = []
        self.replicas: list[Replica] = []
        self.views = Views(self.storage)

    async def open(self, count: int) -> list[Replica]:
        await self.storage.open((*STORAGE_TABLES, *SCHEMA))
        self.views = Views(self.storage, [make_definition(saga, saga()) for saga in self.sagas])
        return [await self.add() for _ in range(count)]

    async def add(self, *sagas: type[Saga], replaces: bool = False) -> Replica:
        """A process more, perhaps of another release, which perhaps replaces those that run."""
        replica = Replica(self, sagas or self.sagas)
        self.replicas.append(replica)
        opening = asyncio.get_running_loop().create_task(replica.open(replaces=replaces))
        while not opening.done():
            await self.clock.advance(self.clock.next_wake or 0.0)
        await opening
        return replica

    async def run(self, seconds: float = 0.0) -> None:
        await self.clock.advance(seconds)

    async def stop(self, replica: Replica) -> None:
        """As at a rolling restart."""
        stopping = replica.spawn(replica.stop())
        while not stopping.done():
            await self.clock.advance(self.clock.next_wake or 0.0)
        await stopping
        await replica.kill()

    async def close(self) -> None:
        for replica in self.replicas:
            await replica.kill()
        await self.storage.close()
        assert self.errors == []

    async def status(self, saga: str) -> str:
        return (await self.views.show(saga)).saga.status.value

    async def kinds(self, saga: str) -> list[str]:
        rows = await Journal(self.storage).load(saga)
        assert rows is not None
        return [f"{row.kind} {row.step}".strip() for row in rows.log]
