"""Leases: which processes are alive at a shared database, and which of them has what only one may have.

A process that works at a shared database is a *worker*: it has a row there, and counts its `beat` up while it lives.
Everything that somebody may die with (sagas, schedules, the relay) names a worker as its owner, so that this one row
says of all of it whether it is to be taken over.

Nobody compares clocks. Who looks sees whether the beat has changed since the last look, and expels a worker whose beat
stood still for `SILENCE_SECONDS` in which it was looking itself, on condition that it is the same beat still
(Chubby and Kubernetes elect leaders by what the observer measures, too). A process that was frozen so long finds its
row gone when it wakes, and comes back as a new worker that owns nothing. What it writes before it notices is refused
by the rows themselves: each owner's own module says how. What it had begun is rolled back when it is expelled, so that
its locks hold nobody up; and all that is written here is written apart, so that nobody is silent for those locks.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterable

from ramet.clock import Clock
from ramet.errors import StorageError, described
from ramet.storage.base import Row, Storage, Write
from ramet.tasks import Spawn

BEAT_SECONDS = 1.5
SILENCE_SECONDS = 5.0
CHANNEL = "ramet_lease"
_WORKER = "worker/"
_PROCESS, _NAME, _PID = "process=", "name=", "pid="


def worker_of(owner: str) -> str:
    """The SELECT that finds the living worker which this column of SQL names as the owner of its row."""
    return f"SELECT 1 FROM ramet_lease w WHERE w.name = '{_WORKER}' || {owner}"


_JOIN = "INSERT INTO ramet_lease (name, owner, beat, about) VALUES (?, ?, 0, ?)"
_BEAT = "UPDATE ramet_lease SET beat = beat + 1 WHERE name = ?"
_ALL = "SELECT name, owner, beat, about FROM ramet_lease"
_EXPEL = "DELETE FROM ramet_lease WHERE name = ? AND beat = ?"
_LEAVE = "DELETE FROM ramet_lease WHERE name = ?"
_TAKE = f"""INSERT INTO ramet_lease (name, owner, beat, about) VALUES (?, ?, 0, '') ON CONFLICT (name) DO UPDATE
    SET owner = excluded.owner, beat = ramet_lease.beat + 1
    WHERE NOT EXISTS ({worker_of("ramet_lease.owner")})"""

log = logging.getLogger("ramet.storage")


class _Seen:
    """What is known of another worker: its last beat, for how long it has not changed, whether it ever has."""

    __slots__ = ("about", "beat", "lively", "silence")

    def __init__(self, beat: int, about: frozenset[str]) -> None:
        self.beat = beat
        self.about = about
        self.silence = 0.0
        self.lively = False

    @property
    def process(self) -> str:
        """What its storage calls it."""
        return self._told(_PROCESS)

    @property
    def shown(self) -> str:
        """What operators call it."""
        return f"{self._told(_NAME)}, process {self._told(_PID) or 'unknown'}".removeprefix(", ")

    def _told(self, what: str) -> str:
        return next((one.removeprefix(what) for one in self.about if one.startswith(what)), "")

    def look(self, beat: int, elapsed: float) -> None:
        self.lively = self.lively or beat != self.beat
        self.silence = self.silence + elapsed if beat == self.beat else 0.0
        self.beat = beat


class Leases:
    """This process at one service's database, from `join` to `leave`; `about` is what the others may know of it.

    `name` is what operators call it, "" where it has none.
    """

    def __init__(
        self, storage: Storage, *, clock: Clock, spawn: Spawn, about: Collection[str] = (), name: str = ""
    ) -> None:
        self.worker = clock.id()
        """This worker's name: what it owns is written down with it. Another one after this process was expelled."""
        self._storage = storage
        self._clock = clock
        self._spawn = spawn
        told = {_PROCESS: storage.process, _NAME: name, _PID: os.getpid()}
        self._about = " ".join(sorted([*about, *(f"{what}{one}" for what, one in told.items() if one)]))
        self._others: dict[str, _Seen] = {}
        self._contended: list[str] = []
        self._held: frozenset[str] = frozenset()
        self._changed: list[Callable[[], None]] = []
        self._looked_at = 0.0
        self._woken = asyncio.Event()
        self._looked: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # -- what others ask -----------------------------------------------------------------------------------------

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed` when a worker has gone, and when a lease was got or lost.

        Also at once when `worker` is another: what is begun from that moment on is the other one's.
        """
        self._changed.append(changed)

    def contend(self, name: str) -> None:
        """Try to hold this lease, of which there is one for the whole service, as soon as its holder has gone."""
        if name not in self._contended:
            self._contended.append(name)
            self._woken.set()

    def holds(self, name: str) -> bool:
        """Whether this worker has the lease, as far as it knows: one that was frozen learns late that it lost it."""
        return name in self._held

    async def somebody_lives(self, about: str) -> bool:
        """Whether another worker that is `about` this lives: waits for a sign of life, but not for ever."""
        while there := [one for one in self._others.values() if about in one.about]:
            if any(one.lively for one in there):
                return True
            if self._looked is None:
                self._looked = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._looked)
        return False

    # -- life ----------------------------------------------------------------------------------------------------

    async def join(self) -> None:
        """Be a worker. Raises: StorageError."""
        await self._enter()
        self._storage.listen(CHANNEL, self._woken.set)
        await self._look()
        self._tasks = [self._spawn(self._keep_looking()), self._spawn(self._tick())]

    async def leave(self) -> None:
        """Own nothing any more; the others take it over at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._held = frozenset()
        try:
            await self._storage.write_apart(Write(_LEAVE, [(_WORKER + self.worker,)]))
        except StorageError as error:
            log.warning("a worker of %s could not say that it leaves: %s", self._storage.service, error)
        else:
            self._storage.notify(CHANNEL)

    async def _enter(self) -> None:
        await self._storage.write_apart(Write(_JOIN, [(_WORKER + self.worker, self.worker, self._about)]))
        self._looked_at = self._clock.monotonic()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            self._woken.set()

    async def _keep_looking(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it was: who says nothing more is taken for dead
                log.warning("a worker of %s could not say that it lives: %s", self._storage.service, described(error))

    async def _look(self) -> None:
        """Beat, see who else does, expel who does not, and take what is free."""
        before, others = (self.worker, self._held), frozenset(self._others)
        if not await self._storage.write_apart(Write(_BEAT, [(_WORKER + self.worker,)])):
            log.warning("a worker of %s was taken for dead; it begins anew", self._storage.service)
            self.worker, self._held = self._clock.id(), frozenset()
            self._say_changed()
            await self._enter()
        rows = await self._storage.fetch(_ALL)
        try:
            await self._observe(rows)
            await self._contend(rows)
        finally:  # who has gone is not seen again
            self._tell(changed=not others <= self._others.keys() or before != (self.worker, self._held))

    async def _observe(self, rows: Iterable[Row]) -> None:
        """Know who is there no more, and expel who is silent."""
        now = self._clock.monotonic()
        elapsed, self._looked_at = min(now - self._looked_at, 2 * BEAT_SECONDS), now  # more, and we were frozen too
        there = {name: (beat, about) for name, owner, beat, about in rows if name == _WORKER + owner}
        there.pop(_WORKER + self.worker, None)
        for name in self._others.keys() - there.keys():
            del self._others[name]
        for name, (beat, about) in there.items():
            self._others.setdefault(name, _Seen(beat, frozenset(about.split()))).look(beat, elapsed)
        for name, one in [(name, one) for name, one in self._others.items() if one.silence >= SILENCE_SECONDS]:
            await self._expel(name, one)

    async def _expel(self, name: str, one: _Seen) -> None:
        if one.process:
            await self._storage.evict(one.process)
        if await self._storage.write_apart(Write(_EXPEL, [(name, one.beat)])):
            del self._others[name]
            who = name.removeprefix(_WORKER)
            log.warning("a worker of %s is dead: %s (%s)", self._storage.service, one.shown, who)

    async def _contend(self, rows: Iterable[Row]) -> None:
        owners = {name: owner for name, owner, _, _ in rows}
        held = set()
        for name in self._contended:
            owner = owners.get(name)
            if owner != self.worker and (owner is None or _WORKER + owner not in self._others):
                owner = self.worker if await self._storage.write_apart(Write(_TAKE, [(name, self.worker)])) else None
            if owner == self.worker:
                held.add(name)
        self._held = frozenset(held)

    def _tell(self, *, changed: bool) -> None:
        if self._looked is not None:
            self._looked.set_result(None)
            self._looked = None
        if changed:
            self._say_changed()

    def _say_changed(self) -> None:
        for listener in self._changed:
            listener()
