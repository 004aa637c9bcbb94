"""Every service apart, in one process: each a running application of its own, and calls travel over sockets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from ramet.clock import Clock
from ramet.contract.declared import Declared
from ramet.events.base import Broker
from ramet.events.brokers.memory import MemoryBroker
from ramet.runtime.linking import Carrier
from ramet.runtime.order import dependencies, dependencies_first
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import Engines
from ramet.storage.base import Storage
from ramet.tasks import Spawn, Tasks
from ramet.testing.repeating import Repeating, RepeatingBroker, Shared
from ramet.transport.base import Endpoint
from ramet.transport.client import dial
from ramet.transport.options import TransportOptions
from ramet.transport.server import Server
from ramet.transport.upstream.upstream import Upstream

EDGE = "edge"
QUIET = TransportOptions(name="test", ping_after_seconds=60.0, dead_after_seconds=120.0)
"""Nobody dies in one process, so nobody is asked whether he is alive, which would fill hours of virtual time."""


class Apart:
    """The parts of an application, running inside `async with`; the first has its public APIs.

    They share the broker, and every delivery is made twice. What has a key is executed twice, too, and kept once.
    """

    def __init__(self, declared: Declared, engines: Engines, options: Options) -> None:
        self._declared = declared
        self._tasks = Tasks()
        self._clock = options.clock
        self._options = replace(QUIET, application=declared.name)
        self._folder = tempfile.TemporaryDirectory(prefix="ramet-")
        self._upstreams: dict[str, Upstream] = {}
        self._addresses: dict[str, str] = {}
        engines = replace(engines, broker=_repeating(engines.broker), storage=_rehearsing(engines.storage))
        names = [EDGE, *(service.name for service in declared.services)]
        hosts = {name: frozenset({name}) for name in names} | {EDGE: frozenset(api.name for api in declared.apis)}
        self.parts = {
            name: Running(declared, engines, replace(options, hosts=hosts[name], carrier=self._carrier))
            for name in names
        }
        self._repeating = {name: Repeating(part.answering, set(self._queries())) for name, part in self.parts.items()}
        self._servers: list[Server] = []

    async def __aenter__(self) -> tuple[Running, ...]:
        await self.start()
        return tuple(self.parts.values())

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.stop()
        if kind is None and self.differences:
            raise AssertionError(
                f"Repeated, these did not answer what they had answered: {', '.join(self.differences)}"
            )

    async def start(self) -> None:
        """Dependencies first, so that each finds the others at work; nobody sends before everybody listens."""
        try:
            for name in self._in_order():
                await self.parts[name].prepare()
                await self._listen(name)
            for phase in (Running.subscribe, Running.begin):
                for part in self.parts.values():
                    await phase(part)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """All of it; what works by itself ends everywhere before anybody stops answering."""
        for part in self.parts.values():
            await part.end()
        for server in self._servers:
            await server.close()
        for upstream in self._upstreams.values():
            await upstream.close()
        for name in reversed(self._in_order()):
            await self.parts[name].stop()
        await self._tasks.stop()
        self._folder.cleanup()

    @property
    def differences(self) -> list[str]:
        """Commands that answered a repeated delivery differently."""
        return [one for repeating in self._repeating.values() for one in repeating.differences]

    def _carrier(self, service: str) -> Carrier:
        """What carries calls to a service; told where that is as soon as it listens."""
        if service not in self._upstreams:
            connect = partial(dial, token=None, clock=self._clock, spawn=self._tasks.spawn, options=self._options)
            self._upstreams[service] = Upstream(service, connect, clock=self._clock, spawn=self._tasks.spawn)
            self._tell(service)
        return self._upstreams[service]

    def _tell(self, service: str) -> None:
        if service in self._upstreams and service in self._addresses:
            self._upstreams[service].update([Endpoint(address=self._addresses[service], group=service)])

    async def _listen(self, name: str) -> None:
        server = Server(self._repeating[name], None, clock=self._clock, spawn=self._tasks.spawn, options=self._options)
        self._addresses[name] = await server.start(f"unix:{Path(self._folder.name) / name}")
        self._servers.append(server)
        self._tell(name)

    def _queries(self) -> Iterator[str]:
        for contract in self._declared.contracts:
            yield from (f"{contract.name}.{one.name}" for one in contract.methods.values() if not one.is_command)

    def _in_order(self) -> list[str]:
        """Dependencies first, the edge last."""
        return [*dependencies_first(dependencies(self._declared.services)), EDGE]


def _repeating(make: Callable[[Clock, Spawn], Broker]) -> Callable[[Clock, Spawn], Broker]:
    """A broker on a server is reached by each part through a connection of its own; the one in memory is shared."""
    shared: list[Broker] = []

    def broker(clock: Clock, spawn: Spawn) -> Broker:
        if shared:
            return shared[0]
        made = make(clock, spawn)
        if isinstance(made, MemoryBroker):
            shared.append(RepeatingBroker(Shared(made)))
            return shared[0]
        return RepeatingBroker(made)

    return broker


def _rehearsing(make: Callable[[str], Storage]) -> Callable[[str], Storage]:
    """Storages in which work that may be repeated is."""

    def storage(service: str) -> Storage:
        made = make(service)
        made.rehearses = True
        return made

    return storage
