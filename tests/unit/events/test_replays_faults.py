"""Whatever a use of the database comes to, at whatever moment: what operators ask of dead letters is done, and once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.errors import NotFound, StorageError
from ramet.events.base import Message
from ramet.events.inbox import Consumer
from ramet.events.lanes import Lanes
from ramet.events.letters import Letters
from ramet.events.operators import EventOperations
from ramet.events.policy import Retries
from ramet.events.replays import Replays
from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.storage.leases import Leases
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from tests.unit.events.bed import unit
from tests.unit.faults import Fault, Gate, OwnClock, OwnStorage, faults

NAME = "billing.note"
NOTES = "CREATE TABLE note (number INTEGER)"
KEYS = {1: "a", 2: "a", 3: None, 4: "b", 5: "b", 6: None}
DISCARDED, FAILS, LEFT = 3, 4, 6
FROZEN_SECONDS = 12.0
SOON_SECONDS = 10.0


class Process:
    """Brings the dead letters of one database back to its consumer; has operators."""

    def __init__(self, real: SqliteStorage, time: VirtualClock, *, shared: bool) -> None:
        self.gate = Gate()
        self.tasks = Tasks()
        self.storage = OwnStorage(real, self.gate)
        self.storage.shared = shared
        self.tried = 0
        clock = OwnClock(time, self.gate)
        consumer = Consumer(NAME, self.handle, storage=self.storage, clock=clock, retries=Retries(attempts=3))
        lanes = Lanes(consumer.deliver, spawn=self.tasks.spawn, clock=clock)
        self.replays = Replays(consumer.letters, lanes, clock=clock, spawn=self.tasks.spawn)
        self.leases = Leases(self.storage, clock=clock, spawn=self.tasks.spawn)
        self.operations = EventOperations(
            {"billing": self.storage}, clock=clock, replay_due=lambda _: self.replays.wake()
        )

    async def handle(self, message: Message) -> None:
        work, number = unit(), int(message.id)
        await self.storage.statement(lambda: work.execute("INSERT INTO note VALUES (?)", number))
        if number == FAILS:
            self.tried += 1
            raise LookupError("broken")


class World:
    """Some processes, the first of which meets the fault."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.clock = VirtualClock()
        self.storage = SqliteStorage("billing", folder / "billing.sqlite", TEMPORARY)
        self.processes = [Process(self.storage, self.clock, shared=processes > 1) for _ in range(processes)]

    async def run(self, fault: Fault) -> None:
        await self.storage.open([*STORAGE_TABLES, *EVENT_TABLES, NOTES])
        for number, key in KEYS.items():
            message = Message(id=str(number), topic="orders.Placed", key=key)
            await Letters(self.storage, NAME).bury(message, attempts=1, error="broken", at=float(number))
        first = self.processes[0]
        for process in self.processes:
            if len(self.processes) > 1:
                process.replays.share(process.leases)
                await process.leases.join()
            process.replays.start()
        await self.clock.settle()
        first.storage.fault = fault
        fault.arm()
        operations = first.operations
        await self.ask(lambda: operations.discard(NAME, str(DISCARDED)))
        for number in KEYS:
            if number not in {DISCARDED, LEFT}:
                await self.ask(lambda number=number: operations.replay(NAME, str(number)))
        await self.clock.advance(FROZEN_SECONDS)
        first.storage.fault = Fault()
        first.gate.wake()
        await self.clock.advance(SOON_SECONDS)

    async def ask(self, act: Callable[[], Awaitable[int]]) -> None:
        """As often as it takes; of a process that is frozen nothing is asked any more until it wakes."""

        async def asked() -> None:
            while True:
                with suppress(NotFound):
                    try:
                        await act()
                    except (StorageError, RuntimeError):
                        continue
                return

        asking = self.processes[0].tasks.spawn(asked())
        await self.clock.advance(0.01)
        if not asking.done():
            await self.clock.advance(FROZEN_SECONDS)
            self.processes[0].gate.wake()
            await self.clock.advance(0.01)
        await asking

    async def check(self, what: str) -> None:
        notes = [number for (number,) in await self.storage.fetch("SELECT number FROM note")]
        assert sorted(notes) == sorted(KEYS.keys() - {DISCARDED, FAILS, LEFT}), what
        assert notes.index(1) < notes.index(2), what
        letters = await self.storage.fetch("SELECT event_id, replay_at FROM ramet_dead_letter ORDER BY event_id")
        assert letters == [(str(FAILS), None), (str(LEFT), None)], what
        assert await self.storage.fetch("SELECT event_id FROM ramet_retry") == [], what

    async def close(self) -> None:
        for process in self.processes:
            await process.tasks.stop()
        await self.storage.close()


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("kind", ["before", "after", "away", "odd", "frozen", "late"])
async def test_every_use_of_the_database_may_fail(tmp_path: Path, kind: str, processes: int) -> None:
    for fault, folder in faults(kind, tmp_path):
        it = World(folder, processes)
        await it.run(fault)
        await it.check(str(fault))
        await it.close()
