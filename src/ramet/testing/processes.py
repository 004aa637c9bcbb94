"""Real processes for the length of a test: a supervisor with its replicas, and what a test reaches of them."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar, cast

import msgspec

from ramet.clock import Clock, SystemClock
from ramet.contract.declared import Declared
from ramet.contract.describe import describe
from ramet.contract.saga import Saga
from ramet.contract.service import Contract
from ramet.contract.struct import Event
from ramet.errors import DeclarationError, Unavailable, UsageError
from ramet.events.base import Broker, Message
from ramet.events.headers import to_headers
from ramet.identity.grants import grants, working_late
from ramet.identity.keys import signing_key
from ramet.identity.tokens import Issuer, issuer_of
from ramet.model.topology import EVERYTHING, Deployment, Group
from ramet.runtime.configuration import FILE, Configuration
from ramet.runtime.linking import Carrier
from ramet.runtime.operators.requests import ListSagas, SagaList
from ramet.runtime.planning import place
from ramet.runtime.running import Options, Running
from ramet.runtime.supervisor.keeper import Keeper
from ramet.runtime.supervisor.operations import SupervisorOperations
from ramet.runtime.supervisor.patience import Patience
from ramet.runtime.supervisor.supervisor import Setup, Supervisor, zygote_of
from ramet.runtime.wiring import engines
from ramet.sagas.views import SagaSummary
from ramet.storage.base import Storage
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.testing.access import Access, no_such_saga
from ramet.testing.placements import Processes
from ramet.testing.servers import Place, Servers, place_on
from ramet.testing.toml import document
from ramet.transport.base import Call, Endpoint
from ramet.transport.client import dial
from ramet.transport.options import TransportOptions
from ramet.transport.upstream.upstream import Upstream

C = TypeVar("C", bound=Contract)
DATA = "data"
ANY_PORT = "127.0.0.1:0"
EDGE = "edge"
NAME = "test"
LINES_KEPT = 30
BROKER_REMEDY = 'Give `running` one: servers=Servers(broker="nats://…"), "amqp://…" or "redis://…"'
IMPATIENT = Patience(attempts=4)
"""What does not start is a failed test, and soon."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to run: an application as it is configured and declared, its settings, and where it runs."""

    configuration: Configuration
    declared: Declared
    settings: Mapping[str, Mapping[str, Any]]
    servers: Servers
    placement: Processes


@asynccontextmanager
async def processes(wanted: Wanted) -> AsyncIterator[InProcesses]:
    """Run it until the end of the block, whatever that is; the replicas end with this process at the latest.

    Raises: UsageError, DeclarationError; Unavailable with what a replica has said that does not start.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ramet-")))
        there = await stack.enter_async_context(place_on(wanted.servers, wanted.declared, data=folder / DATA))
        deployment = deployment_of(wanted)
        deployment = msgspec.structs.replace(
            deployment,
            data=DATA,
            storage=there.storage,
            broker=there.broker,
            broker_class=wanted.servers.broker_class,
        )
        settings = {**wanted.configuration.settings_of(deployment.name), **wanted.settings}
        text = document(there.name, wanted.configuration.application, deployment, settings)
        (folder / FILE).write_text(text, encoding="utf-8")
        yield await stack.enter_async_context(InProcesses(wanted, there, deployment, folder))


class InProcesses(Access):
    """The application as processes; clients, events and sagas are reached from outside of them."""

    def __init__(self, wanted: Wanted, there: Place, deployment: Deployment, folder: Path) -> None:
        self._declared = replace(wanted.declared, name=there.name)
        self._clock: Clock = SystemClock()
        self._tasks = Tasks()
        self._stack = AsyncExitStack()
        self._said: dict[str, deque[str]] = {}
        placement, problems = place(deployment, self._declared, wanted.configuration.place, broker_remedy=BROKER_REMEDY)
        if problems:
            raise DeclarationError(problems)
        self._setup = Setup(
            application=there.name,
            folder=folder,
            deployment=deployment,
            placement=placement,
            show=self._show,
            patience=IMPATIENT,
            environment=_environment(wanted.configuration.folder),
            zygote=zygote_of(deployment),
            grants=grants(describe(self._declared), placement.hosts),
            late=working_late(describe(self._declared), placement.hosts),
        )
        self.supervisor = Supervisor(self._setup)
        self._readonly = engines(deployment, folder, self._declared, readonly=True)
        self._broker: Broker = self._readonly.broker(self._clock, self._tasks.spawn)
        self._storages: dict[str, Storage] = {}
        self._upstreams: dict[str, Upstream] = {}
        self.running = Running(
            self._declared,
            replace(self._readonly, broker=lambda *_: self._broker),
            Options(clock=self._clock, hosts=frozenset(), carrier=self._carrier),
        )

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything in order; what does not end in time is killed."""
        await self._stack.aclose()

    async def _start(self) -> None:
        """Raises: Unavailable with what was said by a replica that does not start."""
        stack = self._stack
        stack.callback(self.supervisor.kill)
        stack.push_async_callback(self._tasks.stop)
        await self.supervisor.start()
        stack.push_async_callback(self.supervisor.stop)
        if failed := await self.supervisor.settled():
            told = "\n".join(line for member in failed for line in self._said.get(member.name, ()))
            names = ", ".join(f"{member.name} {member.error or 'is not ready'}" for member in failed)
            raise Unavailable(f"The application did not start: {names}. It said:\n{told}")
        await self.running.start()
        stack.push_async_callback(self.running.stop)

    @property
    def prefixes(self) -> dict[str, str]:
        """Where the public parts are: addresses by the beginnings of their paths, the longest first."""
        found: dict[str, str] = {}
        for keeper in self.supervisor.keepers.values():
            found |= dict.fromkeys(keeper.placed.prefixes, self.supervisor.url(keeper.name))
        return dict(sorted(found.items(), key=lambda one: -len(one[0])))

    def service(self, cls: type[C]) -> C:
        raise UsageError(
            f"{cls.__name__} is an object of another process, which a test cannot hold: ask it through "
            'client(…), or use a placement in one process, such as "apart".'
        )

    async def storage(self, service: str) -> Storage:
        if service not in self._storages:
            storage = self._readonly.storage(service)
            await storage.open(())
            self._stack.push_async_callback(storage.close)
            self._storages[service] = storage
        return self._storages[service]

    async def publish(self, owner: str, event: Event) -> None:
        kind, identity = type(event), self._clock.id()
        message = Message(
            id=identity,
            topic=f"{owner}.{kind.__name__}",
            key=str(getattr(event, kind.key_field)) if kind.key_field is not None else None,
            version=kind.schema_version,
            payload=msgspec.json.encode(event),
            headers=to_headers(Context.root(identity)),
            at=self._clock.time(),
        )
        await self._broker.publish([message])

    async def saga(self, saga: type[Saga], key: str) -> SagaSummary | None:
        if not any(one.cls is saga for service in self._declared.services for one in service.sagas):
            raise no_such_saga(saga)
        answer = await SupervisorOperations(self.supervisor).answer(ListSagas(name=saga.__name__, key=key))
        found = cast("SagaList", answer).sagas
        return found[0].saga if found else None

    def _carrier(self, service: str) -> Carrier:
        group = next(name for name, hosts in self._setup.placement.hosts.items() if service in hosts)
        if group not in self._upstreams:
            name, clock, spawn = self._setup.application, self._clock, self._tasks.spawn
            options = TransportOptions(application=name, name=NAME)
            connect = partial(dial, token=self._token, clock=clock, spawn=spawn, options=options)
            made = self._upstreams[group] = Upstream(group, connect, clock=clock, spawn=spawn)
            self._stack.push_async_callback(made.close)
        return _Current(self._upstreams[group], self.supervisor.keepers[group])

    def _token(self) -> bytes:
        """Who tests may call every contract."""
        issuer = issuer_of(self._setup.application, self._setup.deployment.name)
        signing = Issuer(signing_key(self.supervisor.folders.keys), issuer, clock=self._clock)
        everything = frozenset(contract.name for contract in self._declared.contracts)
        return signing.replica(f"{NAME}/0", hosts=(), may_call=everything)

    def _show(self, who: str, text: str) -> None:
        """What a replica says, where pytest shows it for tests that fail."""
        self._said.setdefault(who, deque(maxlen=LINES_KEPT)).append(text)
        sys.stderr.write(f"{who} | {text}\n")


class _Current:
    """Carries calls to the replicas that a group has at that moment."""

    def __init__(self, upstream: Upstream, keeper: Keeper) -> None:
        self._upstream = upstream
        self._keeper = keeper
        self._known: tuple[Endpoint, ...] | None = ()

    def call(self, call: Call, *, repeatable: bool) -> Awaitable[bytes]:
        """As `Upstream.call`."""
        if self._keeper.endpoints != self._known:
            self._known = self._keeper.endpoints
            self._upstream.update(self._known)
        return self._upstream.call(call, repeatable=repeatable)


def deployment_of(wanted: Wanted) -> Deployment:
    """The groups of the deployment that a test names, or of the only one that has any; without, each service alone.

    On SQLite files each group is one replica. Ports are any that are free. Raises: UsageError.
    """
    known, name = wanted.configuration.deployments, wanted.placement.deployment
    split = [one for one in known.values() if one.groups and name in ("", one.name)]
    if len(split) > 1 or (name and not split):
        names = ", ".join(one.name for one in known.values() if one.groups) or "none"
        raise UsageError(
            f"Which deployment a test runs as processes is said by placement=Processes(deployment=…); "
            f"with process groups there are {names}."
        )
    chosen = split[0] if split else Deployment(name=NAME, groups=tuple(_alone(wanted.declared)))
    groups = tuple(_adapted(group, wanted.servers) for group in chosen.groups)
    return msgspec.structs.replace(chosen, groups=groups, listen=ANY_PORT, durability="off")


def _alone(declared: Declared) -> list[Group]:
    """A group for each service, and one for what is public."""
    public = [Group(name=EDGE, services=(EVERYTHING,))] if declared.apis or declared.mounted else []
    return [*(Group(name=service.name, services=(service.name,)) for service in declared.services), *public]


def _adapted(group: Group, servers: Servers) -> Group:
    replicas = 1 if servers.storage == "sqlite" else group.replicas
    listen = ANY_PORT if group.listen is not None else None
    return msgspec.structs.replace(group, replicas=replicas, listen=listen, internal="unix")


def _environment(folder: Path) -> dict[str, str]:
    """This process's own, with everything importable that is importable here."""
    places = [str(Path(place).resolve()) for place in (str(folder), *sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
