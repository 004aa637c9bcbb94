"""Discovery by DNS: a group's name resolves to the addresses of its replicas, as a headless service of Kubernetes."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ramet.clock import Clock
from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment
from ramet.runtime.discovery.base import Changed, Discovery
from ramet.runtime.operators.requests import Counts
from ramet.tasks import Spawn
from ramet.transport.base import Endpoint

INTERVAL_SECONDS = 5.0

log = logging.getLogger("ramet.discovery")

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name; none where it has none. Raises: OSError where nobody could be asked."""


def names_of(deployment: Deployment, given: Mapping[str, str]) -> dict[str, str]:
    """Where each group is found: as given, else under its own name, at the port where it answers the other groups.

    >>> from ramet.model.topology import Group
    >>> names_of(Deployment(groups=(Group(name="rest", services=("*",), internal="tls://0.0.0.0:7000"),)), {})
    {'rest': 'tls://rest:7000'}
    """
    found = {}
    for group in deployment.groups:
        scheme, separator, address = group.internal.partition("://")
        port = address.rpartition(":")[2]
        if separator and int(port):
            found[group.name] = f"{scheme}://{group.name}:{port}"
    return {**found, **given}


class DnsDiscovery(Discovery):
    """Asks every few seconds. `names` are "HOST:PORT" or "tls://HOST:PORT" by group.

    Who is ready is known to whoever keeps the names: Kubernetes publishes a pod when its readiness probe answers.
    """

    def __init__(self, names: Mapping[str, str], *, clock: Clock, spawn: Spawn, resolve: Resolve | None = None) -> None:
        self._names = dict(names)
        self._clock = clock
        self._spawn = spawn
        self._resolve = resolve or _resolve
        self._known: dict[str, tuple[Endpoint, ...]] = {}
        self._watchers: dict[str, list[Changed]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask for each watched group once."""
        await self._look()
        self._task = self._spawn(self._keep_looking())

    async def register(self, endpoint: Endpoint) -> None:
        """Whoever keeps the names knows."""

    async def ready(self) -> None:
        """Whoever keeps the names asks `/readyz`."""

    def watch(self, group: str, changed: Changed) -> None:
        """At once where the addresses are known; else they are asked for, unless that is about to be done.

        Raises: ConfigurationError where nobody could say where it is.
        """
        if group not in self._names:
            raise ConfigurationError(
                f"The group {group} cannot be found by name: give it a port that others can reach, such as "
                f'internal = "tcp://0.0.0.0:7000" in its table of ramet.toml, or let `ramet up` run all of them.'
            )
        self._watchers.setdefault(group, []).append(changed)
        if group in self._known:
            changed(self._known[group])
        elif self._task is not None:
            self._spawn(self._look_at(group))

    def on_drain(self, callback: Callable[[], None]) -> None:
        """Nobody says so: a signal ends the process."""

    def report(self, counted: Callable[[], Counts]) -> None:
        """Nobody keeps that here."""

    async def leave(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Nothing is left to do."""

    async def _keep_looking(self) -> None:
        while True:
            await self._clock.sleep(INTERVAL_SECONDS)
            await self._look()

    async def _look(self) -> None:
        for group in tuple(self._watchers):
            await self._look_at(group)

    async def _look_at(self, group: str) -> None:
        try:
            found = await self._endpoints(group)
        except Exception as error:  # noqa: BLE001 - whatever it was, such as no thread to ask in: it is asked again
            log.warning("The addresses of %s cannot be looked up: %s. Those known are kept.", group, error)
            return
        if self._known.get(group) != found:
            self._known[group] = found
            for changed in self._watchers[group]:
                changed(found)

    async def _endpoints(self, group: str) -> tuple[Endpoint, ...]:
        scheme, separator, rest = self._names[group].rpartition("://")
        host, _, port = rest.rpartition(":")
        addresses = sorted(set(await self._resolve(host)))
        shown = [f"[{address}]" if ":" in address else address for address in addresses]
        prefix = scheme if separator else "tcp"
        return tuple(
            Endpoint(address=f"{prefix}://{address}:{port}", group=group, replica=number)
            for number, address in enumerate(shown)
        )


async def _resolve(host: str) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
            return ()
        raise
    return [str(address[0]) for *_, address in found]
