"""Lots of events: those of one consumer that have gathered, in one transaction, where that changes only the speed.

What is committed is the same as if each had been handled by itself, one after the other: they see each other's writes,
their marks are committed with them, and where one of them fails all are rolled back and handled each by itself. So a
handler may be run again because of another event, and must be one that only uses its database: one that called a
command, or waited for anything else, is handled each by itself from then on (`Way.solitary`).

Handlers may execute any number of statements, so those of a lot run one after the other, in one task; nobody waits for
their answers. Commands, which others wait for, are sent side by side instead (`ramet.storage.lots`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from ramet.clock import Clock
from ramet.errors import StorageError
from ramet.events.base import Delivery
from ramet.events.inbox import Consumer
from ramet.events.lanes import Deliverer
from ramet.storage.base import Conflict, Storage, Unit
from ramet.storage.lots.watching import ELSEWHERE_SECONDS, MOST
from ramet.tasks import is_ending
from ramet.telemetry.context import current_context
from ramet.telemetry.scope import Apart, current_scope

LEAST = 8
"""How many are tried together at least, `MOST` at most: between them twice as many as the last lot had."""

BUDGET_SECONDS, SHARED_BUDGET_SECONDS = 0.01, 0.05
"""How long a transaction goes on with further events: who else writes waits for it, where one writes at a time."""

AT_ONCE = 4
"""How many transactions there are side by side, where several can write at a time."""

BREATH_SECONDS = 0.001
"""How long events are handled without giving way to other tasks."""

AGAIN = 0.0
"""The pause before an event that was rolled back because of others is handled by itself."""


class _Failed(NamedTuple):
    """Which of the events has failed, and with what; None: all of them together."""

    at: int | None = None
    error: BaseException | None = None


class EventLots(Deliverer):
    """Handles one consumer's events in lots, for its lanes."""

    def __init__(self, consumer: Consumer, *, storage: Storage, clock: Clock) -> None:
        super().__init__(consumer.deliver)
        self._consumer = consumer
        self._way = consumer.way
        self._storage = storage
        self._clock = clock
        self._reach = LEAST
        self._limits: set[asyncio.Timeout] = set()
        self._way.on_solitary = self._hurry

    def _hurry(self) -> None:
        """It waits for something else: those that wait with it do so for this once, if that does not take long."""
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time() + ELSEWHERE_SECONDS)
        self.changed()

    @property
    def most(self) -> int:
        """How many may be handled together now."""
        each = self._storage.rehearses or self._way.solitary or self._way.singly.left
        return 1 if each else min(MOST, self._reach)

    @property
    def at_once(self) -> int:
        """Several, where the database lets several write."""
        return AT_ONCE if self._storage.shared else 1

    def takes(self, delivery: Delivery) -> bool:
        """Whether this one may be handled with others: not where it has failed before, or is a replay."""
        return delivery.renewals is None and not self._consumer.was_tried(delivery.message.id)

    async def deliver(self, delivery: Delivery) -> float | None:
        """One by itself; see `Consumer.deliver`."""
        self._way.singly.takes()
        return await self._deliver(delivery)

    async def deliver_all(self, deliveries: Sequence[Delivery]) -> list[float | None]:
        """Try all of them together; what `deliver` says, for each. Where a key waits, its later events do too."""
        outcomes: list[float | None] = [AGAIN] * len(deliveries)
        todo = await self._look(deliveries, outcomes)
        count, failed = await self._try([deliveries[at] for at in todo])
        for at in todo[:count]:
            self._consumer.succeeded(deliveries[at].message)
            outcomes[at] = None
        if failed is not None:
            self._way.singly.failed()
            if failed.at is not None and failed.error is not None:
                at, key = todo[failed.at], deliveries[todo[failed.at]].message.key
                if key is None or all(deliveries[other].message.key != key for other in todo[: failed.at]):
                    outcomes[at] = await self._consumer.failed(deliveries[at], failed.error)
        return outcomes

    async def _look(self, deliveries: Sequence[Delivery], outcomes: list[float | None]) -> list[int]:
        """Which are to be handled now: neither known, nor tried elsewhere, nor behind one that was."""
        again = [delivery.message.id for delivery in deliveries if delivery.again]
        known = await self._consumer.letters.known(again)
        await self._consumer.recall(set(again) - known)
        held: set[str | None] = set()
        todo = []
        for at, delivery in enumerate(deliveries):
            message = delivery.message
            if message.key is not None and message.key in held:
                continue
            if message.id in known:
                outcomes[at] = await self._consumer.ignore(message)
            elif self.takes(delivery):
                todo.append(at)
            else:
                held.add(message.key)
        return todo

    async def _try(self, deliveries: Sequence[Delivery]) -> tuple[int, _Failed | None]:
        """How many are handled, and durably so; and whether there was a failure."""
        if not deliveries:
            return 0, None
        unit, under_way = self._storage.unit(whole=True), _Progress(self._clock.monotonic())
        limit = asyncio.timeout(self._consumer.retries.timeout_seconds)
        try:
            async with limit:
                self._limits.add(limit)
                await self._handle(unit, deliveries, under_way)
                marked = [delivery.message.id for delivery in deliveries[: under_way.count]]
                unit.defer(self._consumer.letters.handled(*marked, at=self._clock.time()))
                await unit.commit()
        except (Exception, asyncio.CancelledError, Conflict, Apart) as error:
            if isinstance(error, asyncio.CancelledError) and is_ending():
                raise
            if not unit.committed:
                if self._way.solitary and isinstance(error, TimeoutError):
                    return 0, _Failed()
                return 0, _failed(error, unit, under_way)
        finally:
            self._limits.discard(limit)
            await unit.rollback()
        self._way.singly.succeeded()
        self._reach = max(LEAST, 2 * under_way.count)
        return under_way.count, None

    async def _handle(self, unit: Unit, deliveries: Sequence[Delivery], under_way: _Progress) -> None:
        """Run the handlers, one after the other, as long as the time for it lasts."""
        breath = under_way.started
        budget = SHARED_BUDGET_SECONDS if self._storage.shared else BUDGET_SECONDS
        for delivery in deliveries:
            under_way.running = True
            await self._one(unit, delivery, joint=under_way.count > 0)
            under_way.running = False
            under_way.count += 1
            now = self._clock.monotonic()
            if self._way.solitary or now - under_way.started > budget:
                return
            if now - breath > BREATH_SECONDS:
                await asyncio.sleep(0)
                breath = now

    async def _one(self, unit: Unit, delivery: Delivery, *, joint: bool) -> None:
        scope = self._consumer.scope(delivery)
        scope.unit, scope.joint = unit, joint
        work, context = current_scope.set(scope), current_context.set(self._consumer.context(delivery.message))
        try:
            await self._consumer.handle(delivery.message, scope)
        finally:
            current_context.reset(context)
            current_scope.reset(work)
        if scope.apart:
            raise Apart


class _Progress:
    """Where an attempt is."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.count = 0
        self.running = False


def _failed(error: BaseException, unit: Unit, under_way: _Progress) -> _Failed:
    """Whose failure it is: of the handler that was running, unless the transaction itself was at fault."""
    common = isinstance(error, StorageError | Conflict | Apart) or unit.conflicted
    return _Failed(under_way.count, error) if under_way.running and not common else _Failed()
