"""Whatever a use of the database comes to, at whatever moment: every event is handled once, in order, or given up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.errors import Refusal
from ramet.events.base import Delivery, Message
from ramet.events.inbox import Consumer, Unreadable
from ramet.events.lanes import Lanes
from ramet.events.lots import EventLots
from ramet.events.policy import Retries
from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from tests.unit.events.bed import unit
from tests.unit.faults import Fault, Gate, OwnClock, OwnStorage, faults

NAME = "billing.note"
ATTEMPTS = 4
REFUSED, FAILS_TWICE, FAILS, UNREADABLE = 3, 12, 14, 22
KEYS = {"a": range(1, 7), "b": range(11, 17), None: range(21, 25), "c": range(31, 36)}
ALL = {number for numbers in KEYS.values() for number in numbers}
DEAD = {REFUSED, FAILS, UNREADABLE}
NOTES = "CREATE TABLE note (n INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER)"
ACK_WAIT_SECONDS = 10.0


class No(Refusal):
    """It is refused."""


class Process:
    """Has a consumer of its own at the database of all."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gate = Gate()
        self.tasks = Tasks()
        self.storage = OwnStorage(world.storage, self.gate)
        self.storage.shared = world.shared
        clock = OwnClock(world.clock, self.gate)
        retries = Retries(attempts=ATTEMPTS)
        self.consumer = Consumer(NAME, self.handle, storage=self.storage, clock=clock, retries=retries)
        lots = EventLots(self.consumer, storage=self.storage, clock=clock)
        self.lanes = Lanes(lots, spawn=self.tasks.spawn, clock=clock)

    async def handle(self, message: Message) -> None:
        number = int(message.id)
        if number == UNREADABLE:
            raise Unreadable
        work = unit()
        await self.storage.statement(lambda: work.execute("INSERT INTO note (number) VALUES (?)", number))
        if number == REFUSED:
            raise No
        if number == FAILS or (number == FAILS_TWICE and self.world.failed[number] < 2):
            self.world.failed[number] += 1
            raise LookupError("broken")

    def give(self, number: int, key: str | None, *, again: bool = False) -> None:
        """As a broker does, which is told when it is handled."""
        message = Message(id=str(number), topic="orders.Placed", key=key, at=self.world.clock.time())
        self.lanes.put(Delivery(message, again), lambda: self.world.note_done(number))


class World:
    """One database of a subscriber, and who is at it."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.clock = VirtualClock()
        self.storage = SqliteStorage("billing", folder / "billing.sqlite", TEMPORARY)
        self.shared = processes > 1
        self.failed: Counter[int] = Counter()
        self.done: set[int] = set()
        self.processes = [Process(self) for _ in range(processes)]

    def note_done(self, number: int) -> None:
        """Not before it is durable."""
        known = self.storage.reader.raw.execute("SELECT 1 FROM ramet_inbox WHERE key = ?", (str(number),))
        assert known.fetchone(), number
        self.done.add(number)

    async def run(self, fault: Fault) -> None:
        """The first process meets the fault; what is not done in time is given to the last one."""
        await self.storage.open([*STORAGE_TABLES, *EVENT_TABLES, NOTES])
        first, last = self.processes[0], self.processes[-1]
        first.storage.fault = fault
        for process in self.processes:
            await process.consumer.open()
        fault.arm()
        first.give(31, "c")
        last.give(32, "c") if last is first else None
        await self.clock.advance(0.01)
        for key, numbers in KEYS.items():
            for number in numbers:
                if number not in {31, *([32] if last is first else [])}:
                    (last if key == "a" else first).give(number, key)
        await self.clock.advance(ACK_WAIT_SECONDS)
        if last is not first:
            for key, numbers in KEYS.items():
                for number in numbers:
                    if number not in self.done and key != "a":
                        last.give(number, key, again=True)
        await self.clock.advance(ACK_WAIT_SECONDS)
        first.storage.fault = Fault()
        first.gate.wake()
        await self.clock.advance(ACK_WAIT_SECONDS)

    async def check(self, what: str, *, odd: bool) -> None:
        notes = [number for (number,) in await self.storage.fetch("SELECT number FROM note ORDER BY n")]
        assert sorted(notes) == sorted(ALL - DEAD), what
        for key, numbers in KEYS.items():
            of_key = [number for number in notes if number in numbers]
            assert key is None or of_key == sorted(of_key), what
        letters = await self.storage.fetch("SELECT event_id, attempts FROM ramet_dead_letter")
        assert sorted(int(event_id) for event_id, _ in letters) == sorted(DEAD), what
        assert self.failed[FAILS] >= ATTEMPTS - odd, what
        assert self.done == ALL, what
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
        await it.check(str(fault), odd=kind == "odd")
        await it.close()
