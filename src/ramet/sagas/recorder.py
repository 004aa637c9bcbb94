"""Makes what was decided durable: everything that comes up during one commit goes into the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ramet.clock import Clock
from ramet.errors import CommitUnknown, DuplicateRow, StorageUnavailable
from ramet.sagas.journal import Journal, Record
from ramet.sagas.live import Live
from ramet.tasks import Spawn

Told = Callable[[Live], None]
log = logging.getLogger("ramet.sagas")
LONGEST_PAUSE_SECONDS = 5.0
AWAY = (StorageUnavailable, CommitUnknown)
"""What says nothing about a record: the database cannot be reached."""

TRIES = 3
"""How often a record that is written by itself may fail for another reason, before its saga is given up for now."""


class Recorder:
    """Calls `written` for a saga whose record is durable, and `lost` where the journal tells otherwise already.

    Calls `failed` where its record cannot be written, whatever is done, and that of others can.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        spawn: Spawn,
        *,
        written: Told,
        lost: Told,
        failed: Callable[[Live, Exception], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._spawn = spawn
        self._written = written
        self._lost = lost
        self._failed = failed
        self._pending: list[tuple[Record, Live]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, record: Record, live: Live) -> None:
        """Write this with the next commit."""
        self._pending.append((record, live))
        self._begin()

    async def durable(self) -> None:
        """Return when all that was added so far is durable."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._begin()
        await turn

    def _begin(self) -> None:
        if self._task is None:
            self._task = self._spawn(self._run())

    async def _run(self) -> None:
        try:
            while self._pending or self._waiting:
                batch, self._pending = self._pending, []
                waiting, self._waiting = self._waiting, []
                if batch:
                    await self._write(batch)
                for turn in waiting:
                    if not turn.done():
                        turn.set_result(None)
        finally:
            self._task = None

    async def _write(self, batch: list[tuple[Record, Live]]) -> None:
        pause, tries = 0.05, 0
        while batch:
            try:
                lost = await self._journal.write([record for record, _ in batch])
            except DuplicateRow:
                await self._apart(batch)
                return
            except Exception as error:  # whatever it was: nobody else would write it
                tries += not isinstance(error, AWAY)
                if tries >= (TRIES if len(batch) == 1 else 1):
                    await self._apart(batch, error)
                    return
                log.exception("The journal of sagas could not be written; trying again in %g s.", pause)
            else:
                for record, live in batch:
                    (self._lost if record.id in lost else self._written)(live)
                return
            await self._clock.sleep(pause)
            batch = [one for one in batch if not one[1].stale]
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    async def _apart(self, batch: list[tuple[Record, Live]], error: Exception | None = None) -> None:
        """One of them cannot be written, or is told already: by us, in a commit that seemed to fail, or elsewhere."""
        if len(batch) > 1:
            half = len(batch) // 2
            for some in (batch[:half], batch[half:]):
                await self._write([one for one in some if not one[1].stale])
        elif error is not None:
            self._failed(batch[0][1], error)
        else:
            log.warning("The saga %s went on elsewhere; reading it again.", batch[0][1].id)
            self._lost(batch[0][1])

    async def stop(self, seconds: float) -> None:
        """Return when everything is durable; give up after that many seconds."""
        if self._task is not None:
            patience = self._spawn(self._clock.sleep(seconds))
            while self._task is not None and not patience.done():
                await asyncio.wait([self._task, patience], return_when=asyncio.FIRST_COMPLETED)
            patience.cancel()
        if self._task is not None:
            self._task.cancel()
