"""A running application: every service assembled, started in order, drained in reverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

from ramet.clock import Clock, SystemClock
from ramet.contract.api import Api, api_declaration
from ramet.contract.declared import Declared, DeclaredContract, DeclaredExternal, DeclaredService, Needs
from ramet.contract.reading.agreement import circles
from ramet.contract.service import Contract
from ramet.events.moments import Report, unreported
from ramet.runtime.answering import Answering
from ramet.runtime.calls import Answerer, Exchange
from ramet.runtime.configuration import ExternalAt
from ramet.runtime.dispatch import answerers
from ramet.runtime.holdups import started_within
from ramet.runtime.linking import Carrier, linked
from ramet.runtime.order import dependencies, dependencies_first
from ramet.runtime.policies import Deadlines
from ramet.runtime.reporting import SagaLog
from ramet.runtime.service import RunningService, Surroundings
from ramet.runtime.tables import HISTORY, SCHEMA
from ramet.runtime.wiring import Engines, Outside, external_service
from ramet.sagas.moments import Report as SagaReport
from ramet.settings import read_settings
from ramet.storage.base import Storage
from ramet.storage.database import Database
from ramet.storage.lots.lots import CommandLots
from ramet.tasks import Tasks
from ramet.telemetry.context import Believe
from ramet.telemetry.counters import Counters

C = TypeVar("C", bound=Contract)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run: `strict` encodes calls inside the process as if they travelled.

    `report` hears of handled events, `saga_report` of what happens to sagas (None: the log). `hosts` names the services
    and APIs of this process (None: all); `carrier` gives, by the name of a service that is not among them, what carries
    its calls. `externals` are addresses of contracts that are answered outside, by name, in place of those declared.
    `believe` judges the users of events and sagas, where those have to be proven; None believes whatever is stored.
    `deadlines` say how long calls may take, and each `startup()`. `name` is what operators call this process.
    `replaces`: who runs beside it is to end, and does not go on with any saga.
    """

    clock: Clock = field(default_factory=SystemClock)
    strict: bool = False
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    report: Report = unreported
    saga_report: SagaReport | None = None
    prepare: Callable[[DeclaredService, Storage], Any] | None = None
    hosts: frozenset[str] | None = None
    carrier: Callable[[str], Carrier] | None = None
    externals: Mapping[str, ExternalAt] = field(default_factory=dict)
    believe: Believe | None = None
    name: str = ""
    replaces: bool = False
    deadlines: Deadlines = field(default_factory=Deadlines)

    def here(self, name: str) -> bool:
        """Whether this process hosts a service or API."""
        return self.hosts is None or name in self.hosts


class Running:
    """One application in this process.

    `start` opens the databases, checks that nothing would be stranded, starts services in the order of their
    dependencies and then everything that works by itself; `stop` drains in reverse.
    """

    def __init__(self, declared: Declared, engines: Engines, options: Options) -> None:
        self.declared = declared
        self.options = options
        self.clock = options.clock
        self.counters = Counters()
        self.tasks = Tasks()
        self.exchange = Exchange(
            clock=self.clock, counters=self.counters, strict=options.strict, deadline=options.deadlines.usual
        )
        self.exchange.deadlines = options.deadlines.methods
        self.answering = Answering(options.name)
        self.services: dict[str, RunningService] = {}
        self.apis: list[tuple[type[Api], Api]] = []
        self.started_at: float | None = None
        self._broker = engines.broker(self.clock, self.tasks.spawn)
        self._hosted = [service for service in declared.services if options.here(service.name)]
        self.storages = {service.name: engines.storage(service.name) for service in self._hosted}
        self._begun: list[RunningService] = []
        self._prepared = False
        self._outside: list[Outside] = []

    async def start(self) -> None:
        """Raises: ConfigurationError, StorageError, IncompatibleRelease; whatever was opened is closed again."""
        try:
            await self.prepare()
            await self.subscribe()
            await self.begin()
        except BaseException:
            await self.stop()
            raise

    async def prepare(self) -> None:
        """The first part of `start`: open the databases, check, let services and APIs prepare themselves."""
        await self.open()
        limit = self.options.deadlines.startup
        for service in self.services.values():
            await service.prepare()
        for service in self._in_order():
            await started_within(limit, service.name, service.startup)
        for cls, api in self.apis:
            await started_within(limit, api_declaration(cls).name, api.startup)
        self._prepared = True
        self._begun += self.services.values()

    async def subscribe(self) -> None:
        """The second: be ready for events. Without a broker that remembers, nobody sends any before all are."""
        for service in self._begun:
            await service.subscribe(self._sent)

    async def begin(self) -> None:
        """The third: send what is in the outboxes, go on with sagas, run schedules."""
        for service in self._begun:
            await service.begin()
        self.started_at = self.clock.monotonic()

    async def look_again(self) -> None:
        """The last, before anybody ends that this one replaces. Raises: IncompatibleRelease."""
        for service in self._begun:
            await service.look_again()

    async def _sent(self, topic: str) -> int | None:
        publisher = self.services.get(topic.rpartition(".")[0])
        return None if publisher is None else await publisher.relay.sent()

    async def end(self) -> None:
        """The first part of `stop`: finish sagas, schedules, handlers and relays at work; calls are still answered."""
        async with AsyncExitStack() as last_first:
            for service in self._begun:
                last_first.push_async_callback(service.end)
            self._begun.clear()

    async def stop(self) -> None:
        """Finish what is under way, then close. Harmless when nothing was started.

        Raises: what a service's or an API's own `shutdown()` does, once all the others are done as well.
        """
        async with AsyncExitStack() as last_first:
            for close in (*(one.close for one in self.storages.values()), self.tasks.stop):
                last_first.push_async_callback(close)
            for outside in self._outside:
                last_first.push_async_callback(outside.close)
            last_first.push_async_callback(self._broker.close)
            for service in self._in_order() if self._prepared else ():
                last_first.push_async_callback(service.shutdown)
            for _, api in self.apis:
                last_first.push_async_callback(api.shutdown)
            self._prepared = False
            await self.end()

    def client(self, contract: type[C]) -> C:
        """A client for code outside of the services: tests, tools, mounted applications."""
        return self.exchange.client_outside(contract)

    async def open(self) -> None:
        """Open the databases and put everything together, so that it could start."""
        await self._broker.open()
        for service in self._hosted:
            storage = self.storages[service.name]
            await storage.open(SCHEMA, HISTORY)
            if self.options.prepare is not None:
                await self.options.prepare(service, storage)
        self._assemble()

    def _assemble(self) -> None:
        around = Surroundings(
            declared=self.declared,
            clock=self.clock,
            tasks=self.tasks,
            broker=self._broker,
            exchange=self.exchange,
            report=self.options.report,
            saga_report=self.options.saga_report or SagaLog(self.options.clock),
            believe=self.options.believe,
            name=self.options.name,
            replaces=self.options.replaces,
        )
        instances = {service.name: service.cls() for service in self._hosted}
        for service in self.declared.services:
            self._answer(service, instances.get(service.name))
        for external in self.declared.externals:
            self._answer_outside(external)
        for service in self._hosted:
            instance = instances[service.name]
            self._inject(instance, service.name, service.needs, partial(self.exchange.client_for, service.name))
            self.services[service.name] = RunningService(service, instance, self.storages[service.name], around)
        for api in self.declared.apis:
            if self.options.here(api.name):
                made = api.cls()
                self._inject(made, api.name, api.needs, partial(self.exchange.client_outside, caller=api.name))
                self.apis.append((api.cls, made))

    def _answer(self, service: DeclaredService, instance: Any | None) -> None:
        """Let a service's contract be answered: by its instance, or by the process that has one."""
        if instance is None:
            assert self.options.carrier is not None, "who hosts a part of an application says how to reach the others"
            self._link(service.contract, partial(self.options.carrier, service.name))
            return
        methods = answerers(
            service,
            instance,
            CommandLots(self.storages[service.name], self.tasks.spawn),
            clock=self.clock,
            counters=self.counters,
            frame_queries=self.options.strict or service.name in self._reentrant,
        )
        self.answering.add(service.name, methods)
        self.exchange.add(service.contract, lambda: methods)

    def _answer_outside(self, external: DeclaredExternal) -> None:
        """Let a contract be answered by another application."""
        at = self.at(external)
        service = external_service(external.contract, at.url, at.token, self.clock, self.options.environment)
        self._outside.append(service)
        self._link(external.contract, lambda: service)

    def at(self, external: DeclaredExternal) -> ExternalAt:
        """Where an external contract is answered."""
        return self.options.externals.get(external.contract.name) or ExternalAt(external.url, external.token)

    def _link(self, contract: DeclaredContract, carrier: Callable[[], Carrier]) -> None:
        """Let a contract be answered elsewhere; nobody is connected with whom nobody here wants to call."""
        self.answering.forward(contract, carrier)
        self.exchange.add(contract, lambda: self._linked(contract, carrier()))

    def _linked(self, contract: DeclaredContract, carrier: Carrier) -> Mapping[str, Answerer]:
        deadline = self.options.deadlines.usual
        return linked(contract, carrier, clock=self.clock, counters=self.counters, deadline=deadline)

    def _inject(self, instance: object, name: str, needs: Needs, client: Callable[[type[Contract]], Contract]) -> None:
        for attribute, contract in needs.contracts.items():
            setattr(instance, attribute, client(contract))
        for attribute in needs.databases:
            setattr(instance, attribute, Database(self.storages[name]))
        for attribute in needs.clocks:
            setattr(instance, attribute, self.clock)
        for attribute, kind in needs.settings.items():
            value = read_settings(
                kind,
                application=self.declared.name,
                service=name,
                table=self.options.settings.get(name, {}),
                environment=self.options.environment,
            )
            setattr(instance, attribute, value)

    @cached_property
    def _reentrant(self) -> frozenset[str]:
        """Services that may be called while they are on the stack already."""
        return frozenset(name for circle in circles(dependencies(self._hosted)) for name in circle)

    def _in_order(self) -> list[RunningService]:
        """Dependencies first; inside a circle in the order of declaration."""
        return [self.services[name] for name in dependencies_first(dependencies(self._hosted))]
