"""Discovery by the supervisor: a Unix socket on which a replica registers, beats, and hears of endpoints."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from ramet.clock import Clock
from ramet.errors import Unavailable
from ramet.model.topology import Assignment
from ramet.runtime.discovery.base import Changed, Discovery
from ramet.runtime.discovery.messages import (
    BEAT_SECONDS,
    COUNTED_EVERY,
    LONGEST_LINE,
    Beat,
    Drain,
    Endpoints,
    Hello,
    Leaving,
    Ready,
    Registered,
    Told,
    Watch,
    decode_heard,
    line,
)
from ramet.runtime.operators.requests import NOTHING, Counts
from ramet.tasks import Spawn
from ramet.transport.base import Endpoint

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0

log = logging.getLogger("ramet.discovery")


class SupervisedDiscovery(Discovery):
    """A replica's side. While the supervisor is away it goes on with the endpoints it knows, and reconnects."""

    def __init__(self, assignment: Assignment, *, clock: Clock, spawn: Spawn) -> None:
        self._path = Path(assignment.supervisor)
        self._group, self._replica = assignment.group, assignment.replica
        self._clock = clock
        self._spawn = spawn
        self._known: dict[str, tuple[Endpoint, ...] | None] = {}
        self._watchers: dict[str, list[Changed]] = {}
        self._draining: list[Callable[[], None]] = []
        self._drained = False
        self._endpoint: Endpoint | None = None
        self._is_ready = False
        self._counted: Callable[[], Counts] = Counts
        self._reported = NOTHING
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, group: str, changed: Changed) -> None:
        """At once where the endpoints are known."""
        if group not in self._watchers:
            self._watchers[group] = []
            self._tell(Watch(group=group))
        self._watchers[group].append(changed)
        if group in self._known:
            changed(self._known[group])

    def on_drain(self, callback: Callable[[], None]) -> None:
        """At once where it was said already."""
        self._draining.append(callback)
        if self._drained:
            callback()

    async def start(self) -> None:
        """Raises: Unavailable with the path of the socket."""
        try:
            reader = await self._connect()
            self._heard(await reader.readline())
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise Unavailable(f"The supervisor does not answer on {self._path}: is it running?") from error
        self._tasks = [self._spawn(self._listen(reader)), self._spawn(self._beat())]

    async def register(self, endpoint: Endpoint) -> None:
        """Known to the supervisor alone until it is ready."""
        self._endpoint = endpoint
        self._tell(Registered(endpoint=endpoint))

    async def ready(self) -> None:
        """From now on the supervisor tells the others."""
        self._is_ready = True
        self._tell(Ready())

    def report(self, counted: Callable[[], Counts]) -> None:
        """With some of its beats."""
        self._counted = counted

    async def leave(self) -> None:
        """Say so, and listen no more."""
        for task in self._tasks:
            task.cancel()
        self._tell(Leaving())

    async def close(self) -> None:
        """Say what was counted until the end, and hang up."""
        self._tell(Beat(counts=self._news()))
        self._hang_up()

    async def _connect(self) -> asyncio.StreamReader:
        reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LONGEST_LINE)
        self._reported = NOTHING
        watched = tuple(self._watchers)
        self._tell(Hello(group=self._group, replica=self._replica, pid=os.getpid(), watched=watched))
        if self._endpoint is not None:
            self._tell(Registered(endpoint=self._endpoint))
        if self._is_ready:
            self._tell(Ready())
        return reader

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hear what is told, for ever: a connection that is lost is made again."""
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            try:
                while told := await reader.readline():
                    self._heard(told)
                    pause = SHORTEST_PAUSE_SECONDS
            except (OSError, ValueError, msgspec.DecodeError) as error:
                log.warning("The supervisor said what cannot be understood: %s", error)
            self._hang_up()
            reader, pause = await self._again(pause)

    async def _again(self, pause: float) -> tuple[asyncio.StreamReader, float]:
        while True:
            await self._clock.sleep(self._clock.jitter(pause))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            try:
                return await self._connect(), pause
            except OSError:
                continue

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _beat(self) -> None:
        for count in itertools.count(1):
            self._tell(Beat(counts=None if count % COUNTED_EVERY else self._news()))
            await self._clock.sleep(BEAT_SECONDS)

    def _news(self) -> Counts | None:
        before = self._reported
        try:
            self._reported = self._counted()
        except Exception:  # a replica that does not beat is taken for a frozen one
            log.exception("What this replica has counted cannot be told.")
        return None if self._reported == before else self._reported

    def _heard(self, told: bytes) -> None:
        match decode_heard(told):
            case Endpoints(groups=groups):
                for group, endpoints in groups.items():
                    self._update(group, endpoints)
            case Drain():
                self._drained = True
                for callback in self._draining:
                    callback()
            case _:  # of a later release
                pass

    def _update(self, group: str, endpoints: tuple[Endpoint, ...] | None) -> None:
        if group in self._known and self._known[group] == endpoints:
            return
        self._known[group] = endpoints
        for changed in self._watchers.get(group, ()):
            changed(endpoints)

    def _tell(self, message: Told) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line(message))
