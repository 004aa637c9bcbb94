"""One replica of a process group: hosts its services, answers the other groups, and serves its public parts."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from ramet.clock import Clock, SystemClock
from ramet.contract.declared import Declared
from ramet.http.server import HttpServer
from ramet.model.topology import Assignment, Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.credentials import certified, credentials
from ramet.runtime.discovery.base import Discovery
from ramet.runtime.discovery.dns import DnsDiscovery, names_of
from ramet.runtime.discovery.supervised import SupervisedDiscovery
from ramet.runtime.migrating import preparation
from ramet.runtime.neighbours import Neighbours
from ramet.runtime.operators.control import Control
from ramet.runtime.operators.operations import Operations, Place
from ramet.runtime.policies import bulkhead, bulkheads, deadlines, upstream
from ramet.runtime.process import DRAIN_SECONDS, addresses_of, settle_memory
from ramet.runtime.reporting import CallLog
from ramet.runtime.running import Options, Running
from ramet.runtime.web import web
from ramet.runtime.wiring import engines
from ramet.tasks import Spawn, Tasks
from ramet.transport.base import Endpoint
from ramet.transport.options import TransportOptions
from ramet.transport.server import Server


def discovery_of(assignment: Assignment, deployment: Deployment, *, clock: Clock, spawn: Spawn) -> Discovery:
    """How a replica finds the others: its supervisor tells it, or DNS does, as on Kubernetes."""
    if assignment.supervisor:
        return SupervisedDiscovery(assignment, clock=clock, spawn=spawn)
    return DnsDiscovery(names_of(deployment, assignment.names), clock=clock, spawn=spawn)


class Replica:
    """Runs one assignment from `start` to `stop`.

    It is announced to the others when everything in it runs, and taken back before anything in it ends, so that a
    rolling restart fails no call.
    """

    def __init__(self, configuration: Configuration, declared: Declared, assignment: Assignment) -> None:
        self._assignment = assignment
        self._deployment = configuration.assigned(assignment)
        self._clock = SystemClock()
        self._tasks = Tasks()
        self.discovery = discovery_of(assignment, self._deployment, clock=self._clock, spawn=self._tasks.spawn)
        tls = certified(self._deployment, configuration.folder / self._deployment.data, assignment.group, self._clock)
        transport = TransportOptions(application=configuration.application.name, name=assignment.who, tls=tls)
        proof = credentials(configuration.application.name, assignment, self._clock)
        self._neighbours = Neighbours(
            assignment,
            self.discovery,
            clock=self._clock,
            spawn=self._tasks.spawn,
            options=transport,
            token=proof.token,
        )
        self._neighbours.policies = upstream(self._deployment, declared, zone=assignment.zone)
        self.running = Running(
            declared,
            engines(self._deployment, configuration.folder, declared),
            Options(
                clock=self._clock,
                strict=self._deployment.strict,
                settings=configuration.settings_of(assignment.deployment),
                environment=os.environ,
                prepare=preparation(self._deployment),
                hosts=frozenset(assignment.hosts),
                carrier=self._neighbours.upstream,
                externals=configuration.externals,
                believe=proof.believe,
                name=assignment.who,
                replaces=assignment.replaces,
                deadlines=deadlines(self._deployment, declared),
            ),
        )
        self._proof = proof
        self._server = self._make_server(declared, transport)
        self._http: HttpServer | None = None
        self._control: Control | None = None

    def _make_server(self, declared: Declared, options: TransportOptions) -> Server:
        """What answers the other groups, behind the bulkhead of the process, or of single methods in its place."""
        deployment, proof = self._deployment, self._proof
        options = replace(
            options,
            bulkhead=bulkhead(deployment.policy),
            bulkheads=tuple(bulkheads(deployment, declared)),
            hook=CallLog(self._clock),
        )
        return Server(
            self.running.answering,
            proof.verify,
            proof.vouch,
            clock=self._clock,
            spawn=self._tasks.spawn,
            options=options,
        )

    async def start(self) -> None:
        """Raises: ConfigurationError, StorageError, IncompatibleRelease, Unavailable; whatever was begun is undone."""
        assignment = self._assignment
        try:
            await self.discovery.start()
            await self.running.start()
            await self._serve_public()
            await self._answer_operators()
            address = await self._server.start(assignment.internal)
            await self.discovery.register(
                Endpoint(
                    address=address,
                    group=assignment.group,
                    replica=assignment.replica,
                    zone=assignment.zone,
                    version=assignment.version,
                )
            )
            settle_memory()
            await self.running.look_again()
            await self.discovery.ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self, *, grace_seconds: float = DRAIN_SECONDS) -> None:
        """Say that it leaves, finish what is in flight, hand back what it has, and end: all of it, whatever fails.

        Raises: as `Running.stop`.
        """
        async with AsyncExitStack() as last_first:
            last_first.push_async_callback(self._tasks.stop)
            last_first.push_async_callback(self._neighbours.close)
            last_first.push_async_callback(self.running.stop)
            if self._control is not None:
                last_first.push_async_callback(self._control.stop)
            last_first.push_async_callback(self._server.close)
            last_first.push_async_callback(self.discovery.close)
            await self.discovery.leave()
            finishing = self._drain_public(grace_seconds), self.running.end(), self._server.drain(grace_seconds)
            for failed in await asyncio.gather(*finishing, return_exceptions=True):
                if isinstance(failed, BaseException):
                    raise failed

    async def _drain_public(self, grace_seconds: float) -> None:
        if self._http is not None:
            await self._http.stop(grace_seconds=grace_seconds)

    async def _serve_public(self) -> None:
        if self._assignment.listener is None:
            return
        listener = socket.socket(fileno=self._assignment.listener)
        app = web(self.running, self._deployment, self._proof.verify, self._proof.sign)
        self._http = HttpServer(app, listener=listener, spawn=self._tasks.spawn)
        await self._http.start()

    async def _answer_operators(self) -> None:
        if not self._assignment.control:
            return
        addresses = addresses_of(self.running, self._assignment.url) if self._assignment.url else ()
        operations = Operations(Place.of(self.running, self._deployment.name, addresses))
        self.discovery.report(operations.counted)
        self._control = Control(Path(self._assignment.control), operations.answer)
        await self._control.start()
