"""Operators' requests passed on to the replicas that can answer them, and their answers made one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from ramet.contract.api import kebab
from ramet.errors import NotFound, RametError, Unavailable
from ramet.runtime.operators import requests as asked
from ramet.runtime.operators.protocol import LONGEST_LINE, address
from ramet.runtime.operators.remote import answer_in

A = TypeVar("A", bound=asked.Answer)
N = TypeVar("N", bound=asked.CallCounts)
PATIENCE_SECONDS = 3.0
"""How long a replica may take to say how it is."""
LONGEST_ANSWER_SECONDS = 60.0

Reach = Callable[[], Mapping[str, Sequence[Path]]]
"""The folders of the control sockets of the ready replicas, by group."""
Hosts = Callable[[str], Sequence[str]]
"""What a group hosts."""


class Seen(NamedTuple):
    """What the replicas tell of their services, of who calls them, and of those outside that they call."""

    services: tuple[asked.ServiceStatus, ...]
    traffic: tuple[asked.Traffic, ...]
    externals: tuple[asked.ExternalStatus, ...]


class ReplicaOperations:
    """Answers what any deployment answers, by asking its replicas."""

    def __init__(self, reach: Reach, hosts: Hosts) -> None:
        self._reach = reach
        self._hosts = hosts

    async def answer(self, request: asked.Request) -> asked.Answer:
        """Raises: what the replica raises; Unavailable when no replica is ready."""
        match request:
            case asked.Call():
                return await self._call(request)
            case asked.ListSagas():
                return await self._sagas(request)
            case asked.ListEvents():
                return await self._events(request)
            case asked.ShowEvent():
                letters = [one.letters for one in await self._each(request, asked.EventDetail)]
                return asked.EventDetail(letters=tuple(letter for some in letters for letter in some))
            case asked.ShowSaga():
                return await self._first(request, asked.SagaDetail)
            case asked.RetrySaga() | asked.CancelSaga():
                return await self._first(request, asked.Changed)
            case asked.ReplayEvents() | asked.DiscardEvents():
                return asked.Changed(count=sum(one.count for one in await self._each(request, asked.Changed)))
            case _:
                raise NotFound("A supervisor does not know this request.")

    async def _call(self, request: asked.Call) -> asked.Called:
        """By the group that answers the contract, which needs no grant for it; else by any."""
        groups = self._ready()
        hosts = [name for name in groups if kebab(request.contract) in self._hosts(name)]
        return await ask(groups[next(iter(hosts or groups))][0], request, asked.Called)

    async def seen(self) -> Seen:
        """How the services are, and who calls them, summed up over the replicas that answer."""
        folders = [folder for group in self._reach().values() for folder in group]
        answers = await asyncio.gather(*(self._status(folder) for folder in folders))
        told = [status for status in answers if status is not None]
        services = _by_name(service for status in told for service in status.services)
        return Seen(
            services=tuple(summed(reports) for reports in services),
            traffic=merged(call for status in told for call in status.traffic),
            externals=outsides(external for status in told for external in status.externals),
        )

    async def _status(self, folder: Path) -> asked.Status | None:
        with contextlib.suppress(RametError, TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(folder, asked.GetStatus(), asked.Status)
        return None

    async def _sagas(self, request: asked.ListSagas) -> asked.SagaList:
        found = [saga for one in await self._each(request, asked.SagaList) for saga in one.sagas]
        found.sort(key=lambda one: one.saga.started, reverse=True)
        return asked.SagaList(sagas=tuple(found[: request.limit]))

    async def _events(self, request: asked.ListEvents) -> asked.EventList:
        lists = await self._each(request, asked.EventList)
        return asked.EventList(
            waiting=tuple(event for one in lists for event in one.waiting)[: request.limit],
            retrying=tuple(event for one in lists for event in one.retrying)[: request.limit],
            dead=tuple(event for one in lists for event in one.dead)[: request.limit],
        )

    async def _each(self, request: asked.Request, kind: type[A]) -> list[A]:
        """One replica of every group, because those of one group have the same databases."""
        found: list[A] = []
        refused: RametError | None = None
        for folders in self._ready().values():
            try:
                found.append(await ask(folders[0], request, kind))
            except NotFound as error:
                refused = error
        if not found and refused is not None:
            raise refused
        return found

    async def _first(self, request: asked.Request, kind: type[A]) -> A:
        """The first group that knows what is asked for."""
        refused: RametError | None = None
        for folders in self._ready().values():
            try:
                return await ask(folders[0], request, kind)
            except NotFound as error:
                refused = error
        assert refused is not None
        raise refused

    def _ready(self) -> dict[str, Sequence[Path]]:
        found = {name: folders for name, folders in self._reach().items() if folders}
        if not found:
            raise Unavailable("No replica is ready: `ramet status` and `ramet logs` say why.")
        return found


async def ask(data: Path, request: asked.Request, kind: type[A]) -> A:
    """Ask the process that answers in a folder. Raises: what it raises; Unavailable when it is gone."""
    limit = request.timeout_seconds + PATIENCE_SECONDS if isinstance(request, asked.Call) else LONGEST_ANSWER_SECONDS
    try:
        async with asyncio.timeout(limit):
            reader, writer = await asyncio.open_unix_connection(address(data), limit=LONGEST_LINE)
            try:
                writer.write(msgspec.json.encode(request) + b"\n")
                told = await reader.readline()
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise Unavailable(f"The replica of {data.name} does not answer.") from error
    if not told:
        raise Unavailable(f"The replica of {data.name} has ended before it answered.")
    return answer_in(told, kind)


def summed(reports: Sequence[asked.ServiceStatus]) -> asked.ServiceStatus:
    """One service's replicas as one: counts added, percentiles the worst, and of the shared database one view."""
    methods = _by_name(method for one in reports for method in one.methods)
    return replace(reports[0], **_added(reports), methods=tuple(replace(some[0], **_added(some)) for some in methods))


def outsides(reports: Iterable[asked.ExternalStatus]) -> tuple[asked.ExternalStatus, ...]:
    """What several processes tell of those that are outside: counts added, percentiles the worst."""
    return tuple(replace(some[0], **_added(some)) for some in _by_name(reports))


def _added(reports: Sequence[N]) -> dict[str, Any]:
    """What several had to do, as one."""
    return {
        "calls": sum(one.calls for one in reports),
        "refusals": sum(one.refusals for one in reports),
        "errors": sum(one.errors for one in reports),
        "p50_ms": _worst(one.p50_ms for one in reports),
        "p99_ms": _worst(one.p99_ms for one in reports),
    }


def _by_name(reports: Iterable[N]) -> list[list[N]]:
    found: dict[str, list[N]] = {}
    for one in reports:
        found.setdefault(one.name, []).append(one)
    return list(found.values())


def merged(reports: Iterable[asked.Traffic]) -> tuple[asked.Traffic, ...]:
    """The traffic of several processes as one: calls added for each caller and method, the slower median, sorted."""
    found: dict[tuple[str, str], list[asked.Traffic]] = {}
    for one in reports:
        found.setdefault((one.caller, one.method), []).append(one)
    return tuple(
        asked.Traffic(
            caller=caller,
            method=method,
            calls=sum(one.calls for one in some),
            p50_ms=_worst(one.p50_ms for one in some),
        )
        for (caller, method), some in sorted(found.items())
    )


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
