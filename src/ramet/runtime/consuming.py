"""One handler of events at work: its consumer, its lanes, its subscription."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from ramet.clock import Clock
from ramet.contract.struct import Event
from ramet.events.base import Broker, Message, Subscription
from ramet.events.inbox import Consumer, Unreadable
from ramet.events.lanes import Lanes
from ramet.events.lots import EventLots
from ramet.events.moments import Report
from ramet.events.policy import Retries
from ramet.events.replays import Replays
from ramet.events.subscriptions import remember
from ramet.storage.base import Storage
from ramet.storage.leases import Leases
from ramet.tasks import Tasks
from ramet.telemetry.context import Believe


@dataclass(frozen=True, kw_only=True)
class Handling:
    """What is to be handled: `name` is "<service>.<method>", and `handle` is called inside the transaction."""

    name: str
    event: type[Event]
    topic: str
    handle: Callable[[Any], Awaitable[object]]
    retries: Retries
    retained: bool = False


class Consuming:
    """Runs one handler from `open` to `close`."""

    def __init__(
        self, handling: Handling, *, storage: Storage, broker: Broker, clock: Clock, tasks: Tasks, report: Report
    ) -> None:
        self.name = handling.name
        self._handling = handling
        self._storage = storage
        self._broker = broker
        self._clock = clock
        read = _reader(handling.event)

        async def handle(message: Message) -> None:
            await handling.handle(read(message.payload))

        self._consumer = Consumer(
            handling.name, handle, storage=storage, clock=clock, retries=handling.retries, report=report
        )
        lots = EventLots(self._consumer, storage=storage, clock=clock)
        self._lanes = Lanes(lots, spawn=tasks.spawn, clock=clock)
        self._replays = Replays(self._consumer.letters, self._lanes, clock=clock, spawn=tasks.spawn)

    def share(self, leases: Leases) -> None:
        """Work beside other processes at the same database; called before `open`."""
        self._replays.share(leases)

    def judge(self, believe: Believe | None) -> None:
        """Ask whether the users of events are to be believed; called before `open`."""
        self._consumer.believe = believe

    async def open(self) -> None:
        """Subscribe; what is delivered is handled from now on."""
        await self._consumer.open()
        topics = frozenset({self._handling.topic})
        past = await remember(self._storage, self.name, topics, clock=self._clock, retained=self._handling.retained)
        await self._broker.subscribe(Subscription(consumer=self.name, topics=topics, sink=self._lanes, past=past))
        self._replays.start()

    def replay_due(self) -> None:
        """An operator has asked for a dead letter to be handled again."""
        self._replays.wake()

    @property
    def count(self) -> int:
        """How many events it has handled."""
        return self._consumer.count

    @property
    def idle(self) -> bool:
        """Nothing is being handled or waits to be."""
        return self._lanes.pending == 0

    async def close(self) -> None:
        """Finish what is being handled."""
        await self._replays.stop()
        await self._lanes.close()


def _reader(event: type[Event]) -> Callable[[bytes], Event]:
    decode = msgspec.json.Decoder(event).decode

    def read(payload: bytes) -> Event:
        try:
            return decode(payload)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Unreadable(str(error)) from error

    return read
