"""One running service: its instance, its database, and everything that works for it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ramet.clock import Clock
from ramet.contract.declared import Declared, DeclaredSaga, DeclaredService
from ramet.contract.timetable import timetable
from ramet.errors import described
from ramet.events.base import Broker
from ramet.events.moments import Report
from ramet.events.policy import Retries
from ramet.events.relay import Relay
from ramet.events.subscriptions import put_aside
from ramet.runtime.calls import Exchange
from ramet.runtime.consuming import Consuming, Handling
from ramet.runtime.interests import awaited, consumer_of, waiting_of
from ramet.runtime.publishing import Publishing
from ramet.runtime.schedules import Schedule, Schedules
from ramet.sagas.definition import Definition, make_definition
from ramet.sagas.engine import SagaEngine
from ramet.sagas.moments import Report as SagaReport
from ramet.sagas.views import Views
from ramet.settings import seconds
from ramet.storage.base import Storage
from ramet.storage.leases import Leases
from ramet.storage.tables import RETENTION_SECONDS, purge_answers
from ramet.storage.work import transact
from ramet.tasks import Tasks
from ramet.telemetry.context import Believe
from ramet.telemetry.scope import Scope, Work

PURGE_EVERY_SECONDS = 3600.0
log = logging.getLogger("ramet.storage")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What every running service is given."""

    declared: Declared
    clock: Clock
    tasks: Tasks
    broker: Broker
    exchange: Exchange
    report: Report
    saga_report: SagaReport
    believe: Believe | None = None
    name: str = ""
    replaces: bool = False


class RunningService:
    """Owns the parts of one service, and the order in which they start and stop."""

    def __init__(self, declared: DeclaredService, instance: Any, storage: Storage, around: Surroundings) -> None:
        self.declared = declared
        self.name = declared.name
        self.instance = instance
        self.storage = storage
        self._around = around
        topics = {event: around.declared.topic_of(event) for event in declared.contract.events}
        self.link = Publishing(service=self.name, storage=storage, topics=topics, clock=around.clock)
        self.link.relay = self.relay = Relay(
            storage, around.broker, clock=around.clock, spawn=around.tasks.spawn, topics=frozenset(topics.values())
        )
        instance._link = self.link  # noqa: SLF001 - the attribute that Contract keeps for the runtime
        definitions = [self._definition(saga) for saga in declared.sagas]
        self._leases = self._make_leases(definitions) if storage.shared else None
        self.engine = self.link.engine = self._make_engine(definitions) if definitions else None
        self.sagas = Views(storage, definitions)
        self.consuming = [self._make_consuming(handling) for handling in self._handlings()]
        self.schedules = self._make_schedules() if declared.schedules else None
        if self._leases is not None:
            self.relay.share(self._leases)
            for consuming in self.consuming:
                consuming.share(self._leases)

    async def prepare(self) -> None:
        """Whatever may refuse to start, and needs nobody else: sagas of the last release, even if this one has none."""
        engine = self.engine or self._make_engine(())
        if self._leases is None:
            await engine.check()
            return
        await self._leases.join()
        try:
            await engine.check(replaces=self._around.replaces)
        except BaseException:
            await self._leases.leave()
            raise

    async def look_again(self) -> None:
        """Look at what those that it replaces have begun since it was prepared. Raises: IncompatibleRelease."""
        if self._around.replaces and self._leases is not None:
            await (self.engine or self._make_engine(())).check(replaces=True)

    async def startup(self) -> None:
        """The service's own preparations, in one transaction where they write."""
        await self._transact(Work.STARTUP, "startup", self.instance.startup)

    async def subscribe(self, sent: Callable[[str], Awaitable[int | None]]) -> None:
        """Be ready for events; every service is, before the first of them sends one. `sent` is as `put_aside` says."""
        await put_aside(self.storage, [consuming.name for consuming in self.consuming], sent)
        for consuming in self.consuming:
            await consuming.open()

    async def begin(self) -> None:
        """Work: send what is in the outbox, run sagas and schedules."""
        await self.relay.start()
        self._around.tasks.spawn(self._forget_old_answers())
        if self.engine is not None:
            await self.engine.start()
        if self.schedules is not None:
            await self.schedules.start()

    async def _forget_old_answers(self) -> None:
        """Every hour; not at once, for what was published before a long pause is redelivered first."""
        while True:
            await self._around.clock.sleep(PURGE_EVERY_SECONDS)
            try:
                await purge_answers(self.storage, self._around.clock.time() - RETENTION_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it was: the next hour will do
                log.warning("The old answers of %s could not be removed: %s", self.name, described(error))

    async def end(self) -> None:
        """Finish what is under way, and begin nothing more."""
        if self.schedules is not None:
            await self.schedules.stop()
        if self.engine is not None:
            await self.engine.stop()
        for consuming in self.consuming:
            await consuming.close()
        await self.relay.stop()
        if self._leases is not None:
            await self._leases.leave()

    async def shutdown(self) -> None:
        """The service's own last words."""
        await self._transact(Work.STARTUP, "shutdown", self.instance.shutdown)

    async def _transact(self, work: Work, name: str, body: Any) -> None:
        await transact(self.storage, Scope(self.name, work, name), body)

    def _handlings(self) -> Iterator[Handling]:
        for handler in self.declared.handlers:
            mark = handler.mark
            yield Handling(
                name=consumer_of(self.declared, handler),
                event=mark.event,
                topic=self._around.declared.topic_of(mark.event),
                handle=getattr(self.instance, handler.name),
                retries=Retries(
                    attempts=mark.attempts,
                    backoff_seconds=seconds(mark.backoff),
                    timeout_seconds=seconds(mark.timeout),
                ),
                retained=mark.start == "retained",
            )
        if self.engine is not None:
            for saga in self.declared.sagas:
                for event in awaited(saga.cls):
                    yield Handling(
                        name=waiting_of(self.declared, saga.cls, event),
                        event=event,
                        topic=self._around.declared.topic_of(event),
                        handle=partial(self.engine.signal, saga.cls),
                        retries=Retries(),
                    )

    def _make_consuming(self, handling: Handling) -> Consuming:
        around = self._around
        made = Consuming(
            handling,
            storage=self.storage,
            broker=around.broker,
            clock=around.clock,
            tasks=around.tasks,
            report=around.report,
        )
        made.judge(around.believe)
        return made

    def _make_leases(self, definitions: Sequence[Definition]) -> Leases:
        around = self._around
        about = [one.version for one in definitions]
        return Leases(self.storage, clock=around.clock, spawn=around.tasks.spawn, about=about, name=around.name)

    def _make_schedules(self) -> Schedules:
        schedules = [
            Schedule(
                name=f"{self.name}.{schedule.name}",
                timetable=timetable(schedule.mark.when, schedule.mark.zone),
                run=getattr(self.instance, schedule.name),
                timeout_seconds=seconds(schedule.mark.timeout),
            )
            for schedule in self.declared.schedules
        ]
        made = Schedules(self.storage, schedules, clock=self._around.clock, spawn=self._around.tasks.spawn)
        if self._leases is not None:
            made.share(self._leases)
        return made

    def _make_engine(self, definitions: Sequence[Definition]) -> SagaEngine:
        around = self._around
        engine = SagaEngine(
            self.name,
            definitions,
            storage=self.storage,
            clock=around.clock,
            spawn=around.tasks.spawn,
            withdraw=around.exchange.withdraw,
        )
        engine.judge(around.believe)
        engine.report = around.saga_report
        if self._leases is not None:
            engine.share(self._leases)
        return engine

    def _definition(self, saga: DeclaredSaga) -> Definition:
        instance = saga.cls()
        for attribute, contract in saga.needs.contracts.items():
            setattr(instance, attribute, self._around.exchange.client_for(self.name, contract))
        return make_definition(saga.cls, instance, self._commands(saga))

    def _commands(self, saga: DeclaredSaga) -> list[str]:
        contracts = [self._around.exchange.contract(cls) for cls in saga.needs.contracts.values()]
        return [
            f"{contract.name}.{method.name}"
            for contract in contracts
            for method in contract.methods.values()
            if method.is_command
        ]
