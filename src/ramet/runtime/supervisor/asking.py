"""Operators' requests passed on to the replicas that can answer them, and their answers made one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from ramet.contract.api import kebab
from ramet.errors import NotFound, RametError, Unavailable
from ramet.runtime.operators import requests as asked
from ramet.runtime.operators.protocol import LONGEST_LINE, address
from ramet.runtime.operators.remote import answer_in
from ramet.sagas.progress import Status as SagaStatus

A = TypeVar("A", bound=asked.Answer)
PATIENCE_SECONDS = 3.0
"""How long a replica may take to say how it is."""
LONGEST_ANSWER_SECONDS = 60.0
MOST_STRANDED = 1000

Reach = Callable[[], Mapping[str, Sequence[Path]]]
"""The folders of the control sockets of the ready replicas, by group."""
Hosts = Callable[[str], Sequence[str]]
"""What a group hosts."""


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

    async def told(self) -> list[asked.Status]:
        """How they are, of those that answer."""
        folders = [folder for group in self._reach().values() for folder in group]
        answers = await asyncio.gather(*(self._status(folder) for folder in folders))
        return [status for status in answers if status is not None]

    async def stranded(self, group: str) -> Sequence[asked.ServiceSaga]:
        """The sagas that nobody has and the release of a group cannot go on with; none where none of it tells."""
        request = asked.ListSagas(status=SagaStatus.STRANDED, limit=MOST_STRANDED)
        for folder in self._reach().get(group, ()):
            with contextlib.suppress(RametError):
                return (await ask(folder, request, asked.SagaList)).sagas
        return ()

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
        """One replica of every group that it concerns, because those of one group have the same databases."""
        found: list[A] = []
        refused: RametError | None = None
        for folders in self._concerned(request).values():
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

    def _concerned(self, request: asked.Request) -> dict[str, Sequence[Path]]:
        """The group that hosts the consumer that is asked for; else all."""
        ready, consumer = self._ready(), getattr(request, "consumer", None) or ""
        service = consumer.partition(".")[0]
        return {name: folders for name, folders in ready.items() if service in self._hosts(name)} or ready

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
