"""Throws away, every hour, what nobody needs any more: old events without a saga, and sagas that ended long ago."""

from __future__ import annotations

import asyncio
import logging

from ramet.clock import Clock
from ramet.sagas.journal import Journal
from ramet.tasks import Spawn

SIGNALS_KEPT_SECONDS = 7 * 86_400.0
"""How long an event is kept for a saga that has not been started."""

ENDED_KEPT_SECONDS = 30 * 86_400.0
"""How long a saga that has ended is kept: it can be shown, and its key starts no other one."""

EVERY_SECONDS = 3_600.0
log = logging.getLogger("ramet.sagas")


class Tidying:
    """Tidies one journal, from `start` to `stop`."""

    def __init__(self, journal: Journal, clock: Clock, spawn: Spawn) -> None:
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Tidy now, and again every hour."""
        self._task = self._spawn(self._run())

    async def _run(self) -> None:
        while True:
            try:
                await self._journal.sweep(self._clock.time() - SIGNALS_KEPT_SECONDS)
                await self._journal.purge(self._clock.time() - ENDED_KEPT_SECONDS)
            except Exception:  # whatever it was: the next time may be better
                log.exception("What is old could not be thrown away; trying again in %g s.", EVERY_SECONDS)
            await self._clock.sleep(EVERY_SECONDS)

    async def stop(self) -> None:
        """Tidy no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
