"""Whatever a use of the database comes to, at whatever moment: each lease has one holder, and who lives is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.storage.leases import BEAT_SECONDS, SILENCE_SECONDS, Leases
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA
from ramet.tasks import Tasks
from tests.unit.faults import Fault, Gate, OwnClock, OwnStorage, faults

EXPELLED = SILENCE_SECONDS + 2 * BEAT_SECONDS
SETTLED = EXPELLED + 2 * BEAT_SECONDS
NAMES = ("relay", "replays", "schedules")


class Process:
    """One worker, which notes who was there when it was last told of a change."""

    def __init__(self, real: SqliteStorage, clock: VirtualClock) -> None:
        self.gate = Gate()
        self.tasks = Tasks()
        self.storage = OwnStorage(real, self.gate)
        self.leases = Leases(self.storage, clock=OwnClock(clock, self.gate), spawn=self.tasks.spawn)
        self.leases.listen(self._note)
        self.held: set[str] = set()
        self.known: set[str] = set()
        self._real = real
        self._clock = clock

    def _note(self) -> None:
        rows = self._real.reader.raw.execute("SELECT owner FROM ramet_lease WHERE name LIKE 'worker/%'")
        self.known = {owner for (owner,) in rows}
        self.held = {name for name in NAMES if self.leases.holds(name)}

    async def join(self) -> None:
        await self.leases.join()
        for name in NAMES:
            self.leases.contend(name)
        await self._clock.settle()


class World:
    """Workers at one database."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.storage = SqliteStorage("orders", folder / "orders.sqlite", TEMPORARY)
        self.all: list[Process] = []

    async def run(self, fault: Fault, *, first: bool) -> None:
        """Of four, one dies, one leaves, and one meets the fault: the first holder, or a later one."""
        await self.storage.open(SCHEMA)
        self.all = [Process(self.storage, self.clock) for _ in range(4)]
        meets = self.all[0 if first else 2]
        for process in self.all:
            await process.join()
        meets.storage.fault = fault
        fault.arm()
        await self.clock.advance(BEAT_SECONDS)
        dying = self.all.pop(1 if first else 0)
        await dying.tasks.stop()
        await self.clock.advance(SETTLED)
        leaving = self.all.pop()
        await leaving.leases.leave()
        await leaving.tasks.stop()
        await self.clock.advance(SETTLED)
        meets.storage.fault = Fault()
        meets.gate.wake()
        await self.clock.advance(SETTLED)

    async def close(self) -> None:
        for process in self.all:
            await process.tasks.stop()
        await self.storage.close()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ["before", "after", "away", "odd", "frozen", "late"])
async def test_every_use_of_the_database_may_fail(tmp_path: Path, kind: str, first: bool) -> None:
    for fault, folder in faults(kind, tmp_path):
        it, what = World(folder), str(fault)
        await it.run(fault, first=first)
        rows = dict(await it.storage.fetch("SELECT name, owner FROM ramet_lease"))
        workers = {process.leases.worker for process in it.all}
        assert {owner for name, owner in rows.items() if name.startswith("worker/")} == workers, what
        for name in NAMES:
            assert [rows[name]] == [one.leases.worker for one in it.all if one.leases.holds(name)], what
        for one in it.all:
            assert one.held == {name for name in NAMES if one.leases.holds(name)}, what
            assert one.known <= workers, what
        await it.close()
