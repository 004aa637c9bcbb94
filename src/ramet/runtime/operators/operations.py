"""What operators can do with a deployment: see how it is, look after its sagas and dead letters, call its contracts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.errors import NotFound, UsageError
from ramet.events.operators import EventCounts, EventOperations
from ramet.runtime.operators import requests as asked
from ramet.runtime.operators.calls import call
from ramet.runtime.planning import masked
from ramet.runtime.running import Running
from ramet.runtime.schedules import schedule_states
from ramet.sagas.engine import SagaEngine
from ramet.sagas.views import Views
from ramet.storage.base import Storage
from ramet.telemetry.counters import Counters, MethodCounters, added


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the operations are about: databases by service, and the application when it runs, where it is reached."""

    application: str
    deployment: str
    storages: Mapping[str, Storage]
    clock: Clock
    running: Running | None = None
    addresses: tuple[asked.Address, ...] = ()

    @classmethod
    def of(cls, running: Running, deployment: str, addresses: Iterable[asked.Address]) -> Place:
        """That of an application that runs."""
        return cls(
            application=running.declared.name,
            deployment=deployment,
            storages=running.storages,
            clock=running.clock,
            running=running,
            addresses=tuple(addresses),
        )


class _Snapshot(NamedTuple):
    """Counters as they are at one moment: of each method, and of its calls by caller."""

    methods: list[tuple[str, MethodCounters]]
    calls: Mapping[tuple[str, str], MethodCounters]

    @classmethod
    def of(cls, counters: Counters) -> _Snapshot:
        return cls(list(counters), counters.calls)


class Operations:
    """Answers requests. What needs a running application says so when there is none."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._used_before = _used_seconds()
        self._counted = asked.Counts()
        self._counted_of = 0
        self._events = EventOperations(place.storages, clock=place.clock, replay_due=self._wake_replays)
        self._answers: dict[type[asked.Request], Callable[[Any], Awaitable[asked.Answer]]] = {
            asked.GetStatus: self.status,
            asked.ListSagas: self.list_sagas,
            asked.ShowSaga: self.show_saga,
            asked.RetrySaga: self.retry_saga,
            asked.CancelSaga: self.cancel_saga,
            asked.ListEvents: self.list_events,
            asked.ShowEvent: self.show_event,
            asked.ReplayEvents: self.replay_events,
            asked.DiscardEvents: self.discard_events,
            asked.Call: self.call,
        }

    async def answer(self, request: asked.Request) -> asked.Answer:
        """Raises: NotFound, UsageError, InvalidArguments, CallError."""
        return await self._answers[type(request)](request)

    # -- status --------------------------------------------------------------------------------------------------

    async def status(self, _: asked.GetStatus) -> asked.Status:
        """How everything is."""
        place, running = self._place, self._place.running
        started = running.started_at if running is not None else None
        counts = {count.service: count for count in await self._events.counts()}
        snapshot = _Snapshot.of(running.counters if running is not None else Counters())
        services = [await self._service(storage, counts[name], snapshot) for name, storage in place.storages.items()]
        return asked.Status(
            application=place.application,
            deployment=place.deployment,
            running=started is not None,
            pid=os.getpid() if started is not None else None,
            uptime_seconds=place.clock.monotonic() - started if started is not None else None,
            addresses=place.addresses,
            services=tuple(services),
            traffic=self._traffic(snapshot),
            externals=self._externals(snapshot),
            cpu_seconds=_used_seconds() - self._used_before if started is not None else None,
        )

    def counted(self) -> asked.Counts:
        """What was counted so far, without durations; the same value for as long as nothing happens."""
        running = self._place.running
        total = 0 if running is None else running.counters.total + sum(map(self._handled, running.services))
        if running is not None and total != self._counted_of:
            self._counted_of = total
            snapshot = _Snapshot.of(running.counters.untimed())
            self._counted = asked.Counts(
                services=tuple(self._counts(name, snapshot) for name in self._place.storages),
                traffic=self._traffic(snapshot),
                externals=self._externals(snapshot),
            )
        return self._counted

    def _traffic(self, snapshot: _Snapshot) -> tuple[asked.Traffic, ...]:
        running = self._place.running
        if running is None:
            return ()
        apis = tuple(f"{api.name}." for api in running.declared.apis)
        requests = {("", name): counter for name, counter in snapshot.methods if name.startswith(apis)}
        return tuple(
            asked.Traffic(caller=caller, method=method, calls=counter.calls, p50_ms=_milliseconds(counter, 0.5))
            for (caller, method), counter in sorted({**requests, **snapshot.calls}.items())
            if counter.calls
        )

    def _externals(self, snapshot: _Snapshot) -> tuple[asked.ExternalStatus, ...]:
        running = self._place.running
        if running is None:
            return ()
        found = []
        for external in running.declared.externals:
            name = external.contract.name
            total = added(counter for method, counter in snapshot.methods if method.startswith(f"{name}."))
            found.append(
                asked.ExternalStatus(
                    name=name,
                    url=masked(running.at(external).url),
                    **_counted(total),
                )
            )
        return tuple(found)

    async def _service(self, storage: Storage, events: EventCounts, snapshot: _Snapshot) -> asked.ServiceStatus:
        return replace(
            self._counts(storage.service, snapshot),
            events_waiting=events.waiting,
            events_retrying=events.retrying,
            events_dead=events.dead,
            sagas=await self._sagas(storage).counts(),
            schedules=tuple(await schedule_states(storage)),
        )

    def _counts(self, service: str, snapshot: _Snapshot) -> asked.ServiceStatus:
        counters = self._counters(service, snapshot)
        return asked.ServiceStatus(
            name=service,
            **_counted(added(counter for _, counter in counters)),
            methods=tuple(asked.CallCounts(name=name, **_counted(counter)) for name, counter in counters),
            events_handled=self._handled(service),
        )

    def _handled(self, service: str) -> int:
        """How many events a service has handled."""
        running = self._place.running
        found = running.services.get(service) if running is not None else None
        return 0 if found is None else sum(consuming.count for consuming in found.consuming)

    def _counters(self, service: str, snapshot: _Snapshot) -> list[tuple[str, MethodCounters]]:
        running = self._place.running
        if running is None:
            return []
        prefix = next((one.contract.name + "." for one in running.declared.services if one.name == service), "?")
        return [(name, counter) for name, counter in snapshot.methods if name.startswith(prefix)]

    # -- sagas ---------------------------------------------------------------------------------------------------

    async def list_sagas(self, request: asked.ListSagas) -> asked.SagaList:
        """The newest that fit."""
        storages = [self._storage(request.service)] if request.service else self._place.storages.values()
        found = [
            asked.ServiceSaga(service=storage.service, saga=saga)
            for storage in storages
            for saga in await self._sagas(storage).sagas(
                status=request.status, name=request.name, key=request.key, limit=request.limit
            )
        ]
        found.sort(key=lambda one: one.saga.started, reverse=True)
        return asked.SagaList(sagas=tuple(found[: request.limit]))

    async def show_saga(self, request: asked.ShowSaga) -> asked.SagaDetail:
        """One with its log."""
        name, slash, key = request.saga.partition("/")
        for storage in self._place.storages.values():
            views = self._sagas(storage)
            with contextlib.suppress(NotFound):
                found = await views.sagas(name=name, key=key, limit=1) if slash else ()
                history = await views.show(found[0].id if found else request.saga)
                return asked.SagaDetail(service=storage.service, history=history)
        raise NotFound(
            f'There is no saga "{request.saga}": `ramet sagas list` shows their ids, and "Name/key" finds one too.'
        )

    async def retry_saga(self, request: asked.RetrySaga) -> asked.Changed:
        """Let it go on."""
        found = await self.show_saga(asked.ShowSaga(saga=request.saga))
        await self._engine(found.service).retry(found.history.saga.id)
        return self._changed(1)

    async def cancel_saga(self, request: asked.CancelSaga) -> asked.Changed:
        """Turn it back."""
        found = await self.show_saga(asked.ShowSaga(saga=request.saga))
        await self._engine(found.service).cancel(found.history.saga.id)
        return self._changed(1)

    def _sagas(self, storage: Storage) -> Views:
        running = self._place.running
        service = running.services.get(storage.service) if running is not None else None
        return Views(storage) if service is None else service.sagas

    def _engine(self, service: str) -> SagaEngine:
        running = self._place.running
        engine = running.services[service].engine if running is not None and service in running.services else None
        if engine is None:
            raise UsageError(f"The service {service} has no sagas in this release of the application.")
        return engine

    # -- events --------------------------------------------------------------------------------------------------

    async def list_events(self, request: asked.ListEvents) -> asked.EventList:
        """What is not handled. Raises: NotFound where there is no such consumer."""
        where: Any = {"topic": request.topic, "key": request.key, "limit": request.limit}
        if request.consumer is not None:
            await self._events.check(request.consumer)
        return asked.EventList(
            waiting=tuple(await self._events.waiting(**where)) if request.consumer is None else (),
            retrying=tuple(await self._events.retrying(consumer=request.consumer, **where)),
            dead=tuple(await self._events.dead(consumer=request.consumer, **where)),
        )

    async def show_event(self, request: asked.ShowEvent) -> asked.EventDetail:
        """What its dead letters say."""
        return asked.EventDetail(letters=tuple(await self._events.show(request.event, consumer=request.consumer)))

    async def replay_events(self, request: asked.ReplayEvents) -> asked.Changed:
        """Have them handled again."""
        count = 0
        for consumer in await self._consumers(request.event, request.consumer):
            count += await self._events.replay(consumer, request.event, new_keys=request.new_keys)
        return self._changed(count)

    async def discard_events(self, request: asked.DiscardEvents) -> asked.Changed:
        """Delete them."""
        count = 0
        for consumer in await self._consumers(request.event, request.consumer):
            count += await self._events.discard(consumer, request.event)
        return self._changed(count)

    async def _consumers(self, event: str | None, consumer: str | None) -> list[str]:
        if consumer is not None:
            return [consumer]
        if event is None:
            raise UsageError("Say which dead letters: an event's id, a consumer, or both.")
        return [content.letter.consumer for content in await self._events.show(event)]

    def _wake_replays(self, consumer: str) -> None:
        running = self._place.running
        for service in running.services.values() if running is not None else ():
            for consuming in service.consuming:
                if consuming.name == consumer:
                    consuming.replay_due()

    # -- calls ---------------------------------------------------------------------------------------------------

    async def call(self, request: asked.Call) -> asked.Answer:
        """Call a contract."""
        running = self._place.running
        if running is None or running.started_at is None:
            raise UsageError("A call needs the running application: `ramet up`.")
        return await call(running, request)

    def _storage(self, service: str) -> Storage:
        storage = self._place.storages.get(service)
        if storage is None:
            known = ", ".join(self._place.storages)
            raise NotFound(f'There is no service "{service}"; there are {known}.')
        return storage

    def _changed(self, count: int) -> asked.Changed:
        running = self._place.running
        return asked.Changed(count=count, later=running is None or running.started_at is None)


def _counted(counter: MethodCounters) -> dict[str, Any]:
    return {
        "calls": counter.calls,
        "refusals": counter.refusals,
        "errors": counter.errors,
        "p50_ms": _milliseconds(counter, 0.5),
        "p99_ms": _milliseconds(counter, 0.99),
    }


def _used_seconds() -> float:
    """Processor time of this process."""
    used = os.times()
    return used.user + used.system


def _milliseconds(counter: MethodCounters, share: float) -> float | None:
    found = counter.percentile(share)
    return None if found is None else found * 1000
