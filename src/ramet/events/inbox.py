"""The consumer: runs a handler exactly once for each event, whatever is delivered how often.

The handler's own writes and the row that says "handled" are one transaction. Of two that handle the same event, one
commits and the other is rolled back by the row's unique key. An event is in the end either handled or a dead letter:

- a failure is tried again with backoff (policy.py); the key of the event waits meanwhile, other keys go on;
- when the attempts are used up, the event becomes a dead letter, and the later ones of its key go on;
- a `Refusal` is an answer, and a payload that cannot be decoded stays so: a dead letter at once;
- an operator may have a dead letter replayed: attempts begin anew, and still it succeeds at most once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from typing import Any

from ramet.clock import Clock
from ramet.errors import DuplicateRow, Refusal, described, is_foreseen
from ramet.events.base import Delivery, Message
from ramet.events.headers import from_headers
from ramet.events.letters import Letters
from ramet.events.moments import Attempt, Outcome, Report, unreported
from ramet.events.policy import Failures, Retries
from ramet.storage.base import Storage, Write
from ramet.storage.lots.watching import Watched, Way
from ramet.storage.work import transact_within
from ramet.tasks import is_ending
from ramet.telemetry.context import Believe, Context, current_context
from ramet.telemetry.scope import Scope, Work

Handler = Callable[[Message], Coroutine[Any, Any, None]]


class Unreadable(Exception):
    """Raised by a handler whose event's payload does not fit, now and always."""


class Consumer:
    """One handler of one service; `name` is "<service>.<method>", and `deliver` one attempt for its lanes."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        *,
        storage: Storage,
        clock: Clock,
        retries: Retries | None = None,
        report: Report = unreported,
    ) -> None:
        self.name = name
        self.letters = Letters(storage, name)
        self.retries = retries or Retries()
        self.way = Way(1)  # the first shows what the handler does
        self._service, _, self._method = name.partition(".")
        self._handler = handler
        self._storage = storage
        self._clock = clock
        self._report = report
        self.believe: Believe | None = None
        """Judges the user of an event; None believes whatever is said."""
        self.count = 0
        """How many events it has handled."""
        self._failures: dict[str, Failures] = {}
        self._buried_at = 0.0
        self._log = logging.getLogger(f"ramet.events.{name}")

    async def open(self) -> None:
        """Remember what was being tried again when the process ended."""
        self._failures = await self.letters.retries()

    async def deliver(self, delivery: Delivery) -> float | None:
        """Try once: None when the event is handled or dead, else the seconds to wait before the next attempt."""
        message = delivery.message
        if delivery.again and await self._knows(message):
            return await self.ignore(message)
        scope = self.scope(delivery)
        token = current_context.set(self.context(message))
        try:
            await transact_within(
                self.retries.timeout_seconds,
                self._storage,
                scope,
                partial(self.handle, message, scope),
                lambda _: self._marks(delivery),
            )
        except asyncio.CancelledError as error:
            if is_ending():
                raise
            return await self.failed(delivery, error)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is tried again, then reported
            return await self.failed(delivery, error)
        finally:
            current_context.reset(token)
        self.succeeded(message)
        return None

    def scope(self, delivery: Delivery) -> Scope:
        """The work of handling this event: its key is the same each time."""
        key = f"{self.name}/{delivery.message.id}" + (f"/{delivery.renewals}" if delivery.renewals else "")
        return Scope(self._service, Work.HANDLER, self._method, key)

    def context(self, message: Message) -> Context:
        """The context to handle it in."""
        context = from_headers(message.headers, execution=self._clock.id())
        return context if self.believe is None else self.believe(context)

    async def handle(self, message: Message, scope: Scope) -> None:
        """Call the handler, in this scope, and notice what it does besides using its database."""
        if self.way.solitary:
            await self._handler(message)
            return
        try:
            await Watched(self._handler(message), scope, self.way.note_solitary)
        finally:
            if scope.calls or scope.apart:
                self.way.note_solitary()

    def succeeded(self, message: Message) -> None:
        """It is handled, and that is durable."""
        self._failures.pop(message.id, None)
        self.count += 1
        self._tell(message, Outcome.HANDLED)

    async def failed(self, delivery: Delivery, error: BaseException) -> float | None:
        """An attempt has failed: None when the event is dead, else the seconds to wait before the next one."""
        message = delivery.message
        if isinstance(error, Refusal):
            await self._bury(delivery, f"refused: {described(error)}")
            return None
        if isinstance(error, Unreadable):
            await self._bury(delivery, f"{message.topic} version {message.version} cannot be read: {error}")
            return None
        return await self._fail(delivery, error)

    def was_tried(self, event_id: str) -> bool:
        """Whether an attempt to handle this event has failed before."""
        return event_id in self._failures

    async def recall(self, event_ids: Collection[str]) -> None:
        """Take over what is remembered of these events' failures in other processes."""
        if self._storage.shared and event_ids:
            for event_id, failures in (await self.letters.retries()).items():
                if event_id in event_ids:
                    self._failures[event_id] = failures

    async def _knows(self, message: Message) -> bool:
        """Whether it is handled or dead; else it is recalled how often another process has tried."""
        if await self.letters.is_known(message.id):
            return True
        if self._storage.shared and (failures := await self.letters.failures(message.id)) is not None:
            self._failures[message.id] = failures
        return False

    def _marks(self, delivery: Delivery) -> list[Write]:
        """What is committed together with the handler's own writes."""
        event_id = delivery.message.id
        if delivery.renewals is None:
            marks = [self.letters.handled(event_id, at=self._clock.time())]
        else:
            marks = [
                self.letters.handled(_replayed(event_id), at=self._clock.time()),
                self.letters.unburied(event_id),
            ]
        return [*marks, self.letters.forgotten(event_id)] if event_id in self._failures else marks

    async def _fail(self, delivery: Delivery, error: BaseException) -> float | None:
        message, now = delivery.message, self._clock.time()
        mark = message.id if delivery.renewals is None else _replayed(message.id)
        if await self.letters.is_known(mark):  # by another delivery, whose rows may be what is in its way
            return await self.ignore(message)
        counts = not is_foreseen(error)
        failures = self._failures.get(message.id, Failures()).another(counts=counts, at=now)
        self._failures[message.id] = failures
        if failures.exhaust(self.retries, at=now):
            self._log.error("%s failed with event %s for good", self.name, message.id, exc_info=error)
            await self._bury(delivery, described(error))
            return None
        pause = self._clock.jitter(self.retries.pause(failures.total))
        details = error if failures.total == 1 else None
        self._log.warning("%s failed with event %s, again in %.1f s", self.name, message.id, pause, exc_info=details)
        self._tell(message, Outcome.RETRIED, described(error))
        await self.letters.note_retry(message, failures, error=described(error), next_at=now + pause)
        return pause

    async def ignore(self, message: Message) -> float | None:
        """It is handled or dead already."""
        if message.id in self._failures:
            await self.letters.forget(message.id)
            self._failures.pop(message.id, None)
        self._tell(message, Outcome.KNOWN)
        return None

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        message = delivery.message
        now = self._buried_at = max(self._clock.time(), self._buried_at + 1e-6)  # no two at once: replays keep order
        attempts = max(1, self._failures.get(message.id, Failures()).total)
        if delivery.renewals is not None:
            await self.letters.bury_again(message.id, attempts=attempts, error=reason, at=now)
        else:
            try:
                await self.letters.bury(message, attempts=attempts, error=reason, at=now)
            except DuplicateRow:
                if not await self.letters.is_known(message.id):
                    raise
        self._tell(message, Outcome.DEAD, reason)
        self._failures.pop(message.id, None)

    def _tell(self, message: Message, outcome: Outcome, error: str | None = None) -> None:
        if self._report is unreported:
            return
        failures = self._failures.get(message.id)
        self._report(
            Attempt(
                consumer=self.name,
                event_id=message.id,
                topic=message.topic,
                key=message.key,
                outcome=outcome,
                attempts=failures.total if failures is not None else 1,
                age_seconds=self._clock.time() - message.at,
                error=error,
            )
        )


def _replayed(event_id: str) -> str:
    """The key under which a replay that succeeded is marked; the event's own marks that it was handled or dead."""
    return f"{event_id}/replay"
