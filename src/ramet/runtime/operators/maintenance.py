"""Operators at work on a deployment that does not run: on its databases, without anything being started.

What changes there takes effect at the next start. A call starts the application for as long as it takes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from ramet.clock import SystemClock
from ramet.errors import Unavailable
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.engines import obstacle
from ramet.runtime.operators.operations import Operations, Place
from ramet.runtime.operators.requests import (
    Answer,
    Call,
    CancelSaga,
    DiscardEvents,
    ReplayEvents,
    Request,
    RetrySaga,
)
from ramet.runtime.running import Running
from ramet.runtime.wiring import SQLITE, embedded, engines, kept
from ramet.storage.base import Storage

A = TypeVar("A", bound=Answer)
CHANGES = (ReplayEvents, DiscardEvents)
"""These write to the databases, and need nothing of the application's code."""


class Maintenance:
    """Answers what a running deployment would, when there is none. `make` puts the application together."""

    def __init__(self, configuration: Configuration, deployment: Deployment, make: Callable[[], Running]) -> None:
        self._configuration = configuration
        self._deployment = deployment
        self._make = make

    async def ask(self, request: Request, kind: type[A]) -> A:
        """Raises: what the operation raises; Unavailable, at once, where the server of the databases is away.

        StorageError when another process has the databases.
        """
        name = self._deployment.name
        if (away := await obstacle(self._deployment.storage)) is not None:
            raise Unavailable(f'The deployment "{name}" does not run (`ramet up {name}`), and {away}.')
        if isinstance(request, Call):
            opened = self._started()
        elif isinstance(request, RetrySaga | CancelSaga):
            opened = self._assembled()
        else:
            opened = self._databases(readonly=not isinstance(request, CHANGES))
        async with opened as operations:
            answer = await operations.answer(request)
        assert isinstance(answer, kind)
        return answer

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[Operations]:
        running = self._make()
        await running.start()
        try:
            yield self._operations(running.storages, running)
        finally:
            await running.stop()

    @asynccontextmanager
    async def _assembled(self) -> AsyncIterator[Operations]:
        running = self._make()
        try:
            await running.open()
            yield self._operations(running.storages, running)
        finally:
            await running.stop()

    @asynccontextmanager
    async def _databases(self, *, readonly: bool) -> AsyncIterator[Operations]:
        deployment, folder = self._deployment, self._configuration.folder
        if deployment.storage == SQLITE:
            services, opened = kept(deployment, folder), embedded(deployment, folder, readonly=readonly)
        else:
            declared = self._make().declared
            services = [service.name for service in declared.services]
            opened = engines(deployment, folder, declared, readonly=readonly)
        async with AsyncExitStack() as stack:
            storages: dict[str, Storage] = {}
            for service in services:
                storage = storages[service] = opened.storage(service)
                await storage.open(())
                stack.push_async_callback(storage.close)
            yield self._operations(storages, None)

    def _operations(self, storages: dict[str, Storage], running: Running | None) -> Operations:
        return Operations(
            Place(
                application=self._configuration.application.name,
                deployment=self._deployment.name,
                storages=storages,
                clock=SystemClock(),
                running=running,
            )
        )
