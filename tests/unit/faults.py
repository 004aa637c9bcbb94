"""Faults of one process and its database: frozen, dead, or each use of the database failing in ways of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from ramet.clock import Clock, Timer, VirtualClock
from ramet.errors import CommitUnknown, StorageError, StorageUnavailable
from ramet.storage.base import Row, Write
from ramet.storage.sqlite.storage import SqliteStorage

T = TypeVar("T")
AWAY = 4
"""For how many uses more a server is away."""


class Gate:
    """Closed while a process is frozen; whatever it awaits is answered when it is open again."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._late: list[Callable[[], object]] = []

    def freeze(self) -> None:
        self._open.clear()

    def wake(self) -> None:
        self._open.set()
        late, self._late = self._late, []
        for call in late:
            call()

    def through(self, call: Callable[[], object]) -> None:
        """Call it as soon as it is open."""
        if self._open.is_set():
            call()
        else:
            self._late.append(call)

    async def passing(self) -> None:
        await self._open.wait()


class OwnClock(Clock):
    """The clock of everybody, but who is frozen wakes late."""

    def __init__(self, clock: VirtualClock, gate: Gate) -> None:
        self._clock = clock
        self._gate = gate
        self.monotonic = clock.monotonic

    def time(self) -> float:
        return self._clock.time()

    async def sleep(self, seconds: float | timedelta) -> None:
        await self._clock.sleep(seconds)
        await self._gate.passing()

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        return self._clock.call_later(seconds, lambda: self._gate.through(call))

    def random(self) -> float:
        return self._clock.random()

    def bits(self, count: int) -> int:
        return self._clock.bits(count)


class Fault:
    """What happens to the `number`th use of a database: its server is lost "before" or "after" it has done what it was
    told, or "after" that and "away" for some uses more, the driver fails in a way that nobody knows ("odd"), or the
    process is "frozen" on the way there or "late", back.

    Counting begins with `arm`; `met` says when it has happened.
    """

    def __init__(self, number: int = 0, kind: str = "") -> None:
        self.number = number
        self.kind = kind
        self.count = 0
        self.met = asyncio.Event()
        self._is_armed = False

    def __str__(self) -> str:
        return f"{self.kind}, use {self.number}"

    def arm(self) -> None:
        self._is_armed = True

    def next(self) -> str:
        """What this use meets."""
        self.count += self._is_armed
        since = self.count - self.number
        if not self._is_armed or not 0 <= since <= (AWAY if self.kind == "away" else 0):
            return ""
        self.met.set()
        if self.kind == "away":
            return "before" if since else "after"
        return self.kind


def faults(kind: str, folder: Path, stride: int = 1) -> Iterator[tuple[Fault, Path]]:
    """At one use after the other until there are no more, each with a folder of its own."""
    for number in count(1, stride):
        fault, own = Fault(number, kind), folder / str(number)
        own.mkdir()
        yield fault, own
        if not fault.met.is_set():
            assert number > 1, f"nothing used the database, so nothing met {fault}"
            return


class OwnStorage(SqliteStorage):
    """What one process has of the database: everything passes its gate on the way there and back."""

    shared = True

    def __init__(self, real: SqliteStorage, gate: Gate) -> None:
        super().__init__(real.service)
        self.fault = Fault()
        self._real = real
        self._gate = gate
        self._dead = False

    def die(self) -> None:
        self._dead = True

    async def _pass(self) -> None:
        await self._gate.passing()
        if self._dead:
            raise asyncio.CancelledError

    async def _use(self, work: Callable[[str], Awaitable[T]], lost: type[StorageError]) -> T:
        kind = self.fault.next()
        if kind == "before":
            raise StorageUnavailable("The server was lost.")
        if kind == "frozen":
            self._gate.freeze()
        await self._pass()
        result = await work(kind)
        if kind == "after":
            raise lost("The server was lost.")
        if kind == "odd":
            raise RuntimeError("The driver is at its wits' end.")
        if kind == "late":
            self._gate.freeze()
        await self._pass()
        return result

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        return await self._use(lambda _: self._real.fetch(sql, *parameters), StorageUnavailable)

    async def write(self, *writes: Write) -> tuple[int, ...]:
        return await self._use(lambda _: self._real.write(*writes), CommitUnknown)

    def unit(self, *, eager: bool = False, whole: bool = False) -> Any:
        unit: Any = self._real.unit(eager=eager, whole=whole)
        commit = unit.commit

        async def end(kind: str) -> None:
            if kind == "after":
                unit._durable = partial(unit._came_to, CommitUnknown("The server was lost."))
            await commit()

        unit.commit = partial(self._use, end, CommitUnknown)
        return unit

    async def statement(self, work: Callable[[], Awaitable[T]]) -> T:
        """A statement inside of a unit is a use, too, where it says so."""
        return await self._use(lambda _: work(), StorageUnavailable)

    def notify(self, channel: str) -> None:
        self._real.notify(channel)

    def listen(self, channel: str, wake: Callable[[], None]) -> None:
        self._real.listen(channel, lambda: None if self._dead else wake())
