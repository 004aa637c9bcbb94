"""Replays: brings the dead letters that an operator wants handled back to their consumers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from ramet.clock import Clock
from ramet.errors import described
from ramet.events.base import Delivery, Sink
from ramet.events.letters import Letters
from ramet.storage.leases import Leases
from ramet.tasks import Spawn

LOOK_EVERY_SECONDS = 30.0
LEASE = "replays"
RECOVERY_SECONDS = 1.0
BATCH = 200
log = logging.getLogger("ramet.events")


class Replays:
    """One consumer's. Looks when woken, at the start, and every 30 s for what another process has asked for.

    Where several processes share the database, the one that holds a lease brings them, so that an event is not tried in
    two at once.
    """

    def __init__(self, letters: Letters, sink: Sink, *, clock: Clock, spawn: Spawn) -> None:
        self._leases: Leases | None = None
        self._letters = letters
        self._sink = sink
        self._clock = clock
        self._spawn = spawn
        self._under_way: set[str] = set()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def share(self, leases: Leases) -> None:
        """Bring them only while this process is the one to do it; called before `start`."""
        self._leases = leases

    def start(self) -> None:
        """Begin with what is outstanding."""
        if self._leases is not None:
            self._leases.contend(LEASE)
            self._leases.listen(self.wake)
            self._letters.listen(self.wake)
        self._tasks = [self._spawn(self._bring_all()), self._spawn(self._look())]

    def wake(self) -> None:
        """An operator has asked for a replay, or this process is to bring them from now on."""
        self._woken.set()

    async def stop(self) -> None:
        """Bring no more; what is outstanding is brought at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY_SECONDS)
            self.wake()

    async def _bring_all(self) -> None:
        while True:
            self._woken.clear()
            try:
                if not await self._bring():
                    await self._woken.wait()
            except Exception as error:  # noqa: BLE001 - whatever it was: what operators have asked for is brought
                log.warning("dead letters to be replayed could not be read, again in 1 s: %s", described(error))
                await self._clock.sleep(RECOVERY_SECONDS)

    async def _bring(self) -> int:
        """Put those that are not under way yet, as many as there is room for."""
        if self._leases is not None and not self._leases.holds(LEASE):
            return 0
        room = await self._sink.room()
        replays = await self._letters.replays(BATCH)
        fresh = [replay for replay in replays if replay.message.id not in self._under_way][:room]
        for message, renewals in fresh:
            self._under_way.add(message.id)
            self._sink.put(Delivery(message, renewals=renewals), self._done(message.id))
        return len(fresh)

    def _done(self, event_id: str) -> Callable[[], None]:
        return partial(self._forget, event_id)

    def _forget(self, event_id: str) -> None:
        self._under_way.discard(event_id)
        self._woken.set()
