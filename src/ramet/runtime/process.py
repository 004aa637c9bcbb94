"""One deployment as one process: its address, databases, services, APIs and operators, started and drained in order."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack

from ramet.contract.api import api_declaration
from ramet.contract.declared import Declared
from ramet.http.application import HttpApplication
from ramet.http.server import HttpServer
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.migrating import preparation
from ramet.runtime.operators.control import Control
from ramet.runtime.operators.operations import Operations, Place
from ramet.runtime.operators.requests import Address, Answer
from ramet.runtime.policies import deadlines
from ramet.runtime.running import Options, Running
from ramet.runtime.sole import Sole
from ramet.runtime.web import web
from ramet.runtime.wiring import callers_verified, engines
from ramet.transport.listening import listen_http, url_of

DRAIN_SECONDS = 10.0
GC_THRESHOLDS = (50_000, 20, 100)
"""What is there after the start lives as long as the process; a collection that looks at it costs milliseconds."""


class Ready(Answer):
    """The moment at which requests are answered; `data` is the folder of the databases."""

    application: str
    deployment: str
    pid: int
    url: str
    addresses: tuple[Address, ...]
    documentation: tuple[str, ...]
    services: tuple[str, ...]
    data: str


def make_running(
    configuration: Configuration, deployment: Deployment, declared: Declared, *, strict: bool = False
) -> Running:
    """The application of a deployment, not started."""
    options = Options(
        strict=strict or deployment.strict,
        settings=configuration.settings_of(deployment.name),
        environment=os.environ,
        prepare=preparation(deployment),
        externals=configuration.externals,
        deadlines=deadlines(deployment, declared),
    )
    return Running(declared, engines(deployment, configuration.folder, declared), options)


class Process:
    """Runs a deployment from `start` to `stop`.

    Connections are queued from the moment the address is ours, and answered when everything runs. The listening socket
    may be inherited from the process that this one replaces, and may be kept for the next.
    """

    def __init__(self, configuration: Configuration, deployment: Deployment, running: Running) -> None:
        self._deployment = deployment
        self._running = running
        self._server: HttpServer | None = None
        self._control: Control | None = None
        self._written = configuration.place_of_address(deployment)
        self._data = configuration.folder / deployment.data
        self._sole = Sole(self._data, deployment)
        self.listener: socket.socket | None = None

    async def start(self, listener: socket.socket | None = None) -> Ready:
        """Raises: ConfigurationError, StorageError, IncompatibleRelease; whatever was begun is undone."""
        running = self._running
        self._sole.acquire()
        try:
            self.listener = listener or listen_http(self._deployment.listen, self._written)
            await running.start()
            app, listener = self._public(), self.listener.dup()
            self._server = HttpServer(app, listener=listener, spawn=running.tasks.spawn)
            await self._server.start()
            url = url_of(self.listener)
            addresses = addresses_of(running, url)
            self._control = Control(self._data, Operations(Place.of(running, self._deployment.name, addresses)).answer)
            await self._control.start()
        except BaseException:
            await self.stop()
            raise
        settle_memory()
        return self._ready(url, addresses)

    async def stop(self, *, keep_listening: bool = False, grace_seconds: float = DRAIN_SECONDS) -> bool:
        """Stop accepting, finish what is in flight, close. False when requests were cut off after the grace.

        With `keep_listening` connections are queued meanwhile, for the process that will inherit the listener.
        Raises: as `Running.stop`, once all is closed.
        """
        in_time = True
        if self.listener is not None and not keep_listening:
            self.listener.close()
        async with AsyncExitStack() as last_first:
            last_first.callback(self._sole.release)
            last_first.push_async_callback(self._running.stop)
            if self._control is not None:
                last_first.push_async_callback(self._control.stop)
            if self._server is not None:
                in_time = await self._server.stop(grace_seconds=grace_seconds)
        return in_time

    def _public(self) -> HttpApplication:
        running, deployment = self._running, self._deployment
        verify = callers_verified(deployment, self._data, running.declared.name, running.clock)
        return web(running, deployment, verify)

    def _ready(self, url: str, addresses: Sequence[Address]) -> Ready:
        return Ready(
            application=self._running.declared.name,
            deployment=self._deployment.name,
            pid=os.getpid(),
            url=url,
            addresses=tuple(addresses),
            documentation=tuple(f"{one.url}/docs" for one in addresses[: len(self._running.declared.apis)]),
            services=tuple(self._running.services),
            data=str(self._data),
        )


def settle_memory() -> None:
    """Leave what the start has made out of every later collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()


def addresses_of(running: Running, url: str) -> tuple[Address, ...]:
    """Where the APIs and the mounted applications are that this process hosts."""
    declared, here = running.declared, running.options.here
    found = [(api.name, url + api_declaration(api.cls).prefix) for api in declared.apis]
    found += [(mounted.name, url + mounted.prefix) for mounted in declared.mounted]
    return tuple(Address(name=name, url=where) for name, where in found if here(name))
