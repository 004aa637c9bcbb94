"""Whatever a use of the database comes to, at whatever moment: every event is sent, in order, and only then marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.events.base import Broker, Delivery, Done, Message, Outlet, Sink, Subscription
from ramet.events.outbox import publish_write
from ramet.events.relay import Relay
from ramet.events.tables import SCHEMA as EVENT_TABLES
from ramet.storage.base import Write
from ramet.storage.leases import Leases
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from tests.unit.faults import Fault, Gate, OwnClock, OwnStorage, faults

TOPIC, UNWANTED = "orders.Placed", "orders.Lost"
FROZEN_SECONDS = 10.0
"""For long enough to be taken for dead."""
ENOUGH_SECONDS = 5.0


class Queue:
    """What a broker has been handed under one name, by all; it says after a while that it has it."""

    def __init__(self, clock: VirtualClock, pause: float) -> None:
        self.clock = clock
        self.pause = pause
        self.handed: list[Message] = []
        self.kept: set[str] = set()


class _Own(Sink):
    """One process's way there."""

    def __init__(self, queue: Queue, process: Process) -> None:
        self.queue, self.process = queue, process
        self.waiting: list[tuple[str, Done]] = []

    async def room(self) -> int:
        return 50

    def put(self, delivery: Delivery, done: Done) -> None:
        self.queue.handed.append(delivery.message)
        self.waiting.append((delivery.message.id, done))
        if len(self.waiting) == 1:
            self.process.tasks.spawn(self._keep())

    async def _keep(self) -> None:
        await self.queue.clock.sleep(self.queue.pause)
        kept, self.waiting = self.waiting, []
        self.queue.kept |= {event_id for event_id, _ in kept}
        await self.process.gate.passing()
        for _, done in kept:
            done()


class Brokers(Broker):
    """Only its outlets matter."""

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        self._outlets = outlets

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def subscribe(self, subscription: Subscription) -> None: ...

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:
        return self._outlets


class Process:
    """A process with a relay, all of which can end at once."""

    def __init__(self, world: World) -> None:
        self.gate = Gate()
        self.storage = OwnStorage(world.storage, self.gate)
        self.tasks = Tasks()
        self.clock = OwnClock(world.clock, self.gate)
        outlets = [
            Outlet(str(number), frozenset({TOPIC}), _Own(queue, self)) for number, queue in enumerate(world.queues)
        ]
        self.relay = Relay(self.storage, Brokers(outlets), clock=self.clock, spawn=self.tasks.spawn)
        self.leases = Leases(self.storage, clock=self.clock, spawn=self.tasks.spawn)

    def recover(self) -> None:
        """Nothing more happens to it."""
        self.storage.fault = Fault()
        self.gate.wake()

    async def share(self) -> None:
        await self.leases.join()
        self.relay.share(self.leases)


class World:
    """Processes that send what is in one outbox."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.storage = SqliteStorage("orders", folder / "orders.sqlite", TEMPORARY)
        self.queues = [Queue(self.clock, 0.01), Queue(self.clock, 0.3)]
        self.processes: list[Process] = []
        self.published: set[str] = set()

    async def open(self, count: int) -> list[Process]:
        await self.storage.open([*STORAGE_TABLES, *EVENT_TABLES])
        self.processes = [Process(self) for _ in range(count)]
        return self.processes

    async def publish(self, key: str | None, *seqs: int, topic: str = TOPIC) -> None:
        """Transactions that have these numbers."""
        for seq in seqs:
            message = Message(id=str(seq), topic=topic, key=key, at=self.clock.time())
            write = publish_write(message)
            sql = write.sql.replace("(event_id", "(seq, event_id").replace("VALUES (?", "VALUES (?, ?")
            await self.storage.write(Write(sql, [(seq, *row) for row in write.rows]))
            self.published |= {message.id} if topic == TOPIC else set()
        self.processes[-1].relay.wake()

    async def run(self, seconds: float) -> None:
        """Nothing is marked as sent that was not."""
        for _ in range(int(seconds / 0.5)):
            await self.clock.advance(0.5)
            marked = await self.storage.fetch(
                "SELECT event_id FROM ramet_outbox WHERE sent_at IS NOT NULL AND topic = ?", TOPIC
            )
            for queue in self.queues:
                assert {event_id for (event_id,) in marked} <= queue.kept

    async def check(self, what: str) -> None:
        """Everything is sent, in order for each key by the first time, and marked."""
        for queue in self.queues:
            assert queue.kept == self.published, what
            for key in ("a", "b"):
                order = list(dict.fromkeys(int(message.id) for message in queue.handed if message.key == key))
                assert order == sorted(order), what
        assert await self.storage.fetch("SELECT seq FROM ramet_outbox WHERE sent_at IS NULL") == [], what

    async def close(self) -> None:
        for process in self.processes:
            await process.tasks.stop()
        await self.storage.close()


async def alone(it: World, fault: Fault) -> None:
    """The life of one process."""
    (one,) = await it.open(1)
    await it.publish("a", *range(1, 20))
    one.storage.shared = False
    one.storage.fault = fault
    await one.relay.start()
    fault.arm()
    await it.publish("a", *range(20, 120))
    await it.publish("b", 120, 121)
    await it.publish(None, 122, topic=UNWANTED)
    await it.run(3)
    await it.publish("b", 123)
    one.recover()
    await it.run(ENOUGH_SECONDS)


async def shared(it: World, fault: Fault) -> None:
    """Of two processes the first sends, loses its lease, and sends again when the other one has died."""
    one, other = await it.open(2)
    await it.publish("a", *range(1, 20))
    for process in (one, other):
        await process.share()
        if process is one:
            one.storage.fault = fault
            fault.arm()
        await process.relay.start()
        await it.clock.settle()
    await it.publish("a", *range(20, 120))
    await it.publish(None, 121, 123)
    await it.run(0.5)
    await it.publish(None, 120, 122)
    await it.publish("b", 324)
    await it.run(3)
    await it.clock.advance(0.68)
    await it.publish("b", 325)  # it is to be marked when the lease is missed
    await it.storage.write(Write("DELETE FROM ramet_lease WHERE owner = ?", [(one.leases.worker,)]))
    await it.run(FROZEN_SECONDS)
    one.gate.wake()
    await it.publish("b", 326, 327)
    await it.publish(None, 330)
    await it.run(3)
    await it.publish(None, 328, topic=UNWANTED)
    await it.publish(None, 329)
    await other.tasks.stop()
    it.processes.remove(other)
    await it.publish("b", 331)
    await it.run(FROZEN_SECONDS)
    one.recover()
    await it.publish("b", 332)
    await it.run(ENOUGH_SECONDS)


@pytest.mark.parametrize("kind", ["before", "after", "away", "odd", "frozen", "late"])
@pytest.mark.parametrize(("life", "stride"), [(alone, 3), (shared, 4)])
async def test_every_use_of_the_database_may_fail(
    tmp_path: Path, life: Callable[[World, Fault], Awaitable[None]], stride: int, kind: str
) -> None:
    for fault, folder in faults(kind, tmp_path, stride):
        it = World(folder)
        await life(it, fault)
        await it.check(str(fault))
        await it.close()
