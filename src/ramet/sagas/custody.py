"""Which sagas of a shared database this process runs: those it begins, and those of workers that have gone.

Survivors share what a dead worker leaves, each taking a page at a time. What this release cannot go on with stays for
a worker that can. Events for sagas may be kept by any process: the one that has the saga is told to look, and looks
from time to time without being told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from ramet.clock import Clock
from ramet.errors import NotFound, UsageError, described
from ramet.sagas.definition import Definition, event_waits
from ramet.sagas.journal import Glance, Journal, SavedSaga, Shapes
from ramet.sagas.progress import Status
from ramet.sagas.release import objection, refusal
from ramet.sagas.roll import Recovery, sort_in
from ramet.sagas.runner import Runner
from ramet.storage.leases import Leases
from ramet.tasks import Spawn

PAGE = 200
"""How many sagas are taken over at once, so that other survivors get their part."""

LOOK_EVERY_SECONDS = 5.0
CLAIM_EVERY_SECONDS = 30.0
PAUSE_SECONDS = 0.02

LOOK_AFTER_PAGE = 1_000
"""How many sagas of its own a worker glances at in one go, to see whether it has forgotten one."""

REST = 50
"""How many times as long as that took it does something else."""

RECENT_SECONDS = 60.0
"""How old an event may be that is looked for every few seconds: clocks differ and commits last by less.

Older ones are looked for when sagas are taken over.
"""

STILL_SECONDS = 30.0
"""A saga that could have gone on for so long, and is not in the memory of its worker, was forgotten."""

log = logging.getLogger("ramet.sagas")


class Custody:
    """Looks after what belongs to this worker, from `start` to `stop`."""

    def __init__(
        self,
        journal: Journal,
        definitions: Mapping[str, Definition],
        leases: Leases,
        runner: Runner,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._journal = journal
        self._definitions = definitions
        self._leases = leases
        self._runner = runner
        self._clock = clock
        self._spawn = spawn
        self._shapes = Shapes({})
        self._worker = leases.worker
        leases.listen(self._note_change)
        self._claim_at = 0.0
        self._stranded: frozenset[str] = frozenset()
        self._unsure: Sequence[SavedSaga] = ()
        self._waits = {(name, did): step for name, one in definitions.items() for did, step in event_waits(one)}
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ----------------------------------------------------------------------------------------------------

    async def check(self, service: str, *, replaces: bool = False) -> None:
        """See whether every saga in flight can go on here, or in another release that runs beside this one and stays.

        None stays where this one `replaces` those that run.
        Raises: IncompatibleRelease, which names those that cannot.
        """
        self._shapes = await self._journal.shapes(self._definitions.values())
        lives: dict[str, bool] = {}
        stranded: list[tuple[SavedSaga, str]] = []
        async for saga in self._journal.live():
            reason = objection(saga, self._definitions.get(saga.name), self._shapes)
            if reason is None:
                continue
            if not replaces and saga.definition not in lives:
                lives[saga.definition] = await self._leases.somebody_lives(saga.definition)
            if not lives.get(saga.definition):
                stranded.append((saga, reason))
        if stranded:
            raise refusal(service, stranded)

    async def start(self) -> None:
        """Take over what is nobody's, and go on doing so."""
        self._journal.listen(self._woken.set)
        await self._tend()
        self._tasks = [self._spawn(work) for work in (self._keep_tending(), self._tick(), self._keep_looking_after())]

    async def stop(self) -> None:
        """Take nothing over any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _note_change(self) -> None:
        if self._worker != self._leases.worker:  # before anything is begun as the new one's
            self._worker, self._unsure = self._leases.worker, ()
            self._runner.drop()
        self._claim_at = 0.0
        self._woken.set()

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY_SECONDS)
            self._woken.set()

    async def _keep_tending(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._tend()
            except Exception as error:  # noqa: BLE001 - whatever it was: nobody else would look
                what = described(error)
                log.warning("It could not be seen which sagas are to be taken over; trying again soon: %s", what)
                self._claim_at = 0.0
            await self._clock.sleep(PAUSE_SECONDS)

    async def _tend(self) -> None:
        now = self._clock.monotonic()
        since = self._clock.time() - RECENT_SECONDS
        if now >= self._claim_at:
            self._claim_at, since = now + CLAIM_EVERY_SECONDS, 0.0
            await self._claim()
        for saga in await self._journal.signalled(since):
            self._runner.wake(saga)

    # -- taking over ---------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        last, left, taken = "", [], await self._take(self._unsure)
        while page := await self._journal.orphans(last, PAGE):
            fit = [saga for saga in page if self._objection(saga) is None]
            left += [saga for saga in page if self._objection(saga) is not None]
            taken += await self._take(fit)
            last = page[-1].id
            await self._clock.sleep(PAUSE_SECONDS)
        if taken:
            log.info("%d sagas were taken over from workers that have gone.", taken)
        self._say_stranded(left)

    async def _take(self, sagas: Sequence[SavedSaga]) -> int:
        """Make them this worker's; where that fails they may be nevertheless, and nobody would find them as orphans."""
        if not sagas:
            return 0
        self._unsure, now = sagas, self._clock.time()
        ours = await self._journal.take_over(sagas, self._definitions, now)
        recovery = Recovery()
        for saga in sagas:
            if saga.id in ours and saga.status != Status.PARKED:
                sort_in(recovery, saga, self._definitions[saga.name], now)
        self._runner.take(recovery)
        self._unsure = ()
        return len(ours)

    def _objection(self, saga: SavedSaga) -> str | None:
        return objection(saga, self._definitions.get(saga.name), self._shapes)

    def _say_stranded(self, sagas: Sequence[SavedSaga]) -> None:
        stranded = frozenset(saga.id for saga in sagas)
        if stranded - self._stranded:
            names = ", ".join(f"{saga.name} {saga.key} ({saga.id}): {self._objection(saga)}" for saga in sagas[:10])
            log.error(
                "%d sagas belong to nobody, and this release cannot go on with them: %s. "
                "They wait for a process of the release that started them.",
                len(sagas),
                names,
            )
        self._stranded = stranded

    # -- what was forgotten --------------------------------------------------------------------------------------

    async def _keep_looking_after(self) -> None:
        pause = CLAIM_EVERY_SECONDS
        while True:
            await self._clock.sleep(pause)
            began = self._clock.monotonic()
            try:
                await self._look_after_own()
            except Exception as error:  # noqa: BLE001 - whatever it was: nobody else would look
                log.warning("It could not be seen whether all own sagas go on; trying again: %s", described(error))
            pause = max(CLAIM_EVERY_SECONDS, REST * (self._clock.monotonic() - began))

    async def _look_after_own(self) -> None:
        """Go on with a saga that stands still since this worker, which lives, does not know it: a defect, if found.

        What is known, or waits for an event, costs a glance; only what is left is read.
        """
        last = ""
        while page := await self._journal.own(last, LOOK_AFTER_PAGE):
            unknown = [one.id for one in page if not (self._waits_for_event(one) or self._runner.has(one.id))]
            await self._go_on_with_forgotten([saga for saga in unknown if await self._stands_still(saga)])
            last = page[-1].id
            await self._clock.sleep(PAUSE_SECONDS)

    async def _go_on_with_forgotten(self, sagas: list[str]) -> None:
        if sagas:
            log.warning(
                "%d sagas stood still, since this process had forgotten them, and go on now: %s. "
                "That is a defect of Ramet: please report it.",
                len(sagas),
                ", ".join(sagas[:10]),
            )
            self._runner.take(Recovery(ready=sagas))

    def _waits_for_event(self, saga: Glance) -> bool:
        """Whether it waits for an event alone, which nothing but the event ends: it is not to be known."""
        step = None if saga.did is None else self._waits.get((saga.name, saga.did))
        return step is not None and f'"{step}":' not in (saga.trouble or "")

    async def _stands_still(self, saga: str) -> bool:
        """Whether a saga that was unknown a moment ago is so still, and could have gone on long ago."""
        saved = await self._journal.load(saga)
        if saved is None or saved.ended_at is not None or saved.status == Status.PARKED:
            return False
        told_at, then = saved.log[-1].at if saved.log else saved.started_at, self._clock.time() - STILL_SECONDS
        if told_at > then or not self._journal.is_own(saved) or self._objection(saved) is not None:
            return False
        recovery = Recovery()
        sort_in(recovery, saved, self._definitions[saved.name], then)
        return bool(recovery.ready) and not self._runner.has(saga)

    async def obtain(self, saga: str) -> None:
        """Make a saga this worker's, whoever has it; whatever the other one does then is refused by the journal.

        Raises: NotFound; UsageError where this release cannot go on with it.
        """
        while True:
            saved = await self._journal.load(saga)
            if saved is None:
                raise NotFound(f"There is no saga {saga}: `ramet sagas list` shows all.")
            if saved.ended_at is not None or self._journal.is_own(saved):
                return
            if (reason := self._objection(saved)) is not None:
                raise UsageError(f"The saga {saga} belongs to another release ({reason}): ask a process that has that.")
            self._runner.doubt(saga)
            await self._journal.take_over([saved], self._definitions, self._clock.time())
