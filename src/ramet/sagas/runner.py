"""What keeps sagas going: which of them are in memory, what each may do next, and how that becomes durable.

What follows a step begins when the step is durable. A bounded crew works on what can be done now; what waits for a time
or an event is forgotten from memory, and read again when its time or its event has come.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from ramet.clock import Clock
from ramet.errors import NotFound, UsageError, described
from ramet.sagas import machine
from ramet.sagas.attempt import Performer
from ramet.sagas.crew import Crew
from ramet.sagas.definition import Definition, event_name
from ramet.sagas.journal import Journal, SavedSaga, record
from ramet.sagas.live import Live, moment, moments, revive, waiter
from ramet.sagas.moments import Happened, Moment, Report
from ramet.sagas.progress import ENDED, Outcome, Status, stands_otherwise
from ramet.sagas.recorder import Recorder
from ramet.sagas.roll import Absent, Place, Recovery, Roll
from ramet.sagas.waking import Limit
from ramet.storage.base import Row
from ramet.tasks import Spawn

CONCURRENCY = 128
"""How many steps of one service's sagas run at the same time."""

ROOM = 4_000
"""How many sagas of one service are kept in memory; more wait in the journal."""

STOPPING_SECONDS = 10.0
"""How long `stop` lets steps finish; what is cut off is repeated at the next start."""

DOUBT_SECONDS = (1.0, 4.0, 25.0, 270.0)
"""When to look, and look again, for a saga that may be there: its server was lost during the commit, and may yet come
to it."""

PAUSE_SECONDS = 1.0
"""How long to wait before reading the journal again after it could not be read; shorter waits stay in memory.

A saga that cannot go on, whatever the reason is, waits for as long at first, and twice as long each time.
"""

LONGEST_PAUSE_SECONDS = 300.0

log = logging.getLogger("ramet.sagas")


class Runner:
    """The sagas of one service at work; `report` listens to what happens to them.

    `obtain` is set where other workers run sagas of this service, too: it makes one of those ours.
    """

    def __init__(
        self, journal: Journal, definitions: Mapping[str, Definition], performer: Performer, clock: Clock, spawn: Spawn
    ) -> None:
        self.report: Report | None = None
        self.obtain: Callable[[str], Awaitable[None]] | None = None
        self.running = False
        self._journal = journal
        self._definitions = definitions
        self._performer = performer
        self._clock = clock
        self._recorder = Recorder(journal, clock, spawn, written=self._written, lost=self._lost, failed=self._set_aside)
        self._crew = Crew(clock, spawn, CONCURRENCY, self._set_aside)
        self._roll = Roll(clock, ROOM, self._rise)
        self._missing = False

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self, recovery: Recovery) -> None:
        """Go on with what was in flight."""
        self.running = True
        self.take(recovery)
        await self._wake_signalled()

    def take(self, recovery: Recovery) -> None:
        """Go on with these, once an event or a time has come for those that wait; others may have had them."""
        for saga in recovery.ready:
            self._queue(saga, doubtful=True)
        for saga, until in recovery.waiting:
            if until is not None and saga not in self._roll:
                self._roll.sleep(Absent(saga), until)
        self._refill()

    def drop(self) -> None:
        """Forget everything: other workers may have gone on with it."""
        self._roll.clear()

    async def stop(self) -> None:
        """Let the steps under way finish, for some seconds, make everything durable, and begin nothing more."""
        self.running = False
        self._roll.rest()
        self._crew.drop()
        await self._crew.quiet(STOPPING_SECONDS)
        await self._crew.stop()
        await self._recorder.stop(STOPPING_SECONDS)
        self._roll.clear()

    @property
    def idle(self) -> bool:
        """Nothing can be done now: every saga has ended, is parked, or waits for a time or an event."""
        return self._roll.is_quiet

    # -- what comes in -------------------------------------------------------------------------------------------

    def enter(self, live: Live) -> None:
        """A saga was started, durably."""
        self._say([moment(self._performer.service, live, Happened.STARTED)])
        if self.running and self._roll.has_room:
            self._roll.admit(live)
            self._next(live)
        else:
            self._roll.queue(Absent(live.id))

    def doubt(self, saga: str) -> None:
        """A saga may be this process's, durably, and nobody else would look after it then."""
        if self._roll.live(saga) is None:
            self._look_again(Absent(saga, doubtful=True, looks=DOUBT_SECONDS))

    def signalled(self, saga: str, key: str) -> None:
        """An event for the saga with this name and key is there, durably."""
        if self.running:
            self._crew.add(partial(self._find, saga, key))

    async def _find(self, saga: str, key: str, _: Limit) -> None:
        try:
            found = await self._journal.find(saga, key)
        except Exception:  # whatever it was: nobody else would wake the saga
            self._miss()
            raise
        if found is not None:
            self.wake(found)

    def _miss(self) -> None:
        """An event has come for a saga that could not be looked for: look for all such, in a while."""
        if not self._missing:
            self._missing = True
            self._crew.add(self._find_all)

    async def _find_all(self, _: Limit) -> None:
        await self._clock.sleep(PAUSE_SECONDS)
        self._missing = False
        try:
            await self._wake_signalled()
        except Exception:
            self._miss()
            raise

    async def _wake_signalled(self) -> None:
        for saga in await self._journal.signalled():
            self.wake(saga)

    async def operate(self, saga: str, decide: Callable[[Live, float], Outcome]) -> None:
        """Do with a saga what an operator decides; durable when this returns. Raises: NotFound; UsageError."""
        while await self._decide(await self._hold(saga), decide):
            pass

    async def _decide(self, live: Live, decide: Callable[[Live, float], Outcome]) -> bool:
        """Whether it has to be decided again, because the saga went on elsewhere before it was durable."""
        try:
            self._tell(live, decide(live, self._clock.time()))
            await self._recorder.durable()
        except UsageError:
            self._next(live)
            raise
        finally:
            if not self.running:
                self._roll.remove(live)
        return live.stale

    async def _hold(self, saga: str) -> Live:
        """The saga in memory, read from the journal if need be; of the worker that has it, it is taken over."""
        saved = None if self._roll.live(saga) else await self._own(saga)
        if saved is None and self._roll.live(saga) is None and self.obtain is not None:
            await self.obtain(saga)
            saved = await self._own(saga)
        if live := self._roll.live(saga):
            return live
        if saved is not None:
            try:
                return self._admit(saved)
            except Exception as error:
                self._put_off(self._roll.absent(saga) or Absent(saga), error)
                raise UsageError(f"The saga {saga} cannot go on with this release ({described(error)}).") from error
        saved = await self._journal.load(saga)
        if saved is None:
            raise NotFound(f"{self._performer.service} has no saga {saga}: `ramet sagas list` shows all.")
        raise UsageError(f"The saga {saga} has ended ({saved.status}); there is nothing to do.")

    # -- memory --------------------------------------------------------------------------------------------------

    def wake(self, saga: str) -> None:
        """An event may have come for a saga; one that could not go on waits for its time all the same."""
        absent = self._roll.absent(saga)
        if absent is None or not absent.failures:
            self._bring(saga)

    def _rise(self, saga: str) -> None:
        """The time of a saga has come."""
        if saga in self._roll:
            self._bring(saga)

    def _bring(self, saga: str) -> None:
        """Let it go on, in memory or as soon as there is room."""
        if (live := self._roll.live(saga)) is not None:
            live.again = live.seeking
            self._next(live)
        else:
            self._queue(saga)
            self._refill()

    def _queue(self, saga: str, *, doubtful: bool = False) -> None:
        """Read it when there is room, unless it is in memory."""
        if self._roll.live(saga) is None:
            absent = self._roll.absent(saga) or Absent(saga)
            absent.doubtful |= doubtful
            if saga not in self._roll or absent.place is Place.ASLEEP:
                self._roll.queue(absent)

    def _look_again(self, absent: Absent) -> None:
        pause, *further = absent.looks
        absent.looks = tuple(further)
        self._sleep(absent, pause)

    def _sleep(self, absent: Absent, seconds: float) -> None:
        if self.running:
            self._roll.sleep(absent, self._clock.time() + seconds)

    def _refill(self) -> None:
        if self.running:
            for absent in self._roll.next():
                self._crew.add(partial(self._load, absent))

    async def _load(self, absent: Absent, _: Limit) -> None:
        saga = absent.id
        try:
            saved = await self._own(saga)
        except BaseException:  # whatever it was: nobody else would come back to this saga
            if self._roll.absent(saga) is absent:
                self._sleep(absent, PAUSE_SECONDS)
            raise
        if self._roll.absent(saga) is not absent:
            return self._refill()
        if saved is not None:
            try:
                self._next(self._admit(saved))
            except Exception as error:  # noqa: BLE001 - whatever it was: the others go on
                self._put_off(absent, error)
        elif absent.looks:
            self._look_again(absent)
        else:
            self._roll.remove(absent)
        return self._refill()

    async def _own(self, saga: str) -> SavedSaga | None:
        """A saga from the journal; None when it has ended or is not ours."""
        saved = await self._journal.load(saga)
        if saved is None or saved.name not in self._definitions or saved.ended_at is not None:
            return None
        return saved if self._journal.is_own(saved) else None

    def _admit(self, saved: SavedSaga) -> Live:
        """Take a saga into memory: it turns back if it had a reason to; its row is made to say what its log does."""
        absent = self._roll.absent(saved.id) or Absent(saved.id)
        live = revive(saved, self._definitions[saved.name], doubtful=absent.doubtful or not self.running)
        live.failures = absent.failures
        outcome = machine.resumed(live.definition, live.progress, self._clock.time())
        self._roll.admit(live)
        if outcome[1] or live.progress.status is not live.stands:
            self._tell(live, outcome)
        return live

    def _forget(self, live: Live, until: float | None = None) -> None:
        self._roll.remove(live)
        if until is not None and not live.stale:
            self._roll.sleep(Absent(live.id), until)
        self._refill()

    def _set_aside(self, live: Live, error: Exception) -> None:
        """A saga cannot go on, which is no outcome of a step: it is read again later, and nobody waits for it."""
        if not live.stale:
            live.stale = True
            self._put_off(Absent(live.id, doubtful=True, failures=live.failures), error)
            self._refill()

    def _put_off(self, absent: Absent, error: Exception) -> None:
        pause = min(LONGEST_PAUSE_SECONDS, PAUSE_SECONDS * 2 ** min(absent.failures, 40))
        absent.failures, absent.looks = absent.failures + 1, ()
        log.error("The saga %s cannot go on; trying again in %g s.", absent.id, pause, exc_info=error)
        self._sleep(absent, pause)

    def has(self, saga: str) -> bool:
        """Whether a saga is in memory, or will be."""
        return saga in self._roll

    # -- running -------------------------------------------------------------------------------------------------

    def _next(self, live: Live) -> None:
        """Begin what can be begun; called where a commit or a timer ends, and nobody could handle an error."""
        try:
            self._go_on(live)
        except Exception as error:  # noqa: BLE001 - whatever it was, such as a time that its state has
            self._set_aside(live, error)

    def _go_on(self, live: Live) -> None:
        progress = live.progress
        if live.unwritten or live.seeking or live.stale or not self.running:
            return
        if progress.status in ENDED or (progress.status is Status.PARKED and not progress.active):
            self._forget(live)
            return
        now = self._clock.time()
        todo = machine.todo(live.definition, progress, now)
        for step in todo.run:
            live.progress = machine.began(live.progress, step)
            self._crew.add(partial(self._attempt, live, step), live)
        if todo.event is not None:
            live.seeking = True
            self._crew.add(partial(self._seek, live), live)
        elif todo.until is not None:
            if live.progress.active or todo.until <= now + PAUSE_SECONDS:
                self._roll.remind(live.id, todo.until)
            else:
                self._forget(live, todo.until)

    async def _attempt(self, live: Live, step: str, limit: Limit, found: tuple[str, str] | None = None) -> None:
        """One attempt of a step or its undo, with the event it waited for."""
        if live.stale:
            return
        outcome, wrong = await self._performer.perform(live, step, limit, found)
        event = live.definition.steps[step].event
        taken = None if found is None or wrong or event is None else (*waiter(live), event_name(event), found[0])
        self._tell(live, outcome, taken)
        if wrong is not None:
            self._say([moment(self._performer.service, live, wrong[0], step, wrong[1])])

    async def _seek(self, live: Live, limit: Limit) -> None:
        """Look for the event that a saga waits for."""
        step = live.definition.stages[live.progress.stage][0]
        assert step.event is not None
        live.again = False
        try:
            found = await self._journal.signal(*waiter(live), event_name(step.event))
        finally:
            live.seeking = False
        todo = machine.todo(live.definition, live.progress, self._clock.time())
        if todo.event != step.name or live.stale or live.unwritten or (found is None and live.again):
            return self._next(live)
        if found is not None:
            live.progress = machine.began(live.progress, step.name)
            return await self._attempt(live, step.name, limit, found)
        if todo.overdue:
            return self._tell(live, machine.overdue(live.definition, live.progress, step.name, self._clock.time()))
        return self._forget(live, todo.until)

    def _tell(self, live: Live, outcome: Outcome, taken: Row | None = None) -> None:
        """Something was decided: write it, and go on when it is durable."""
        before, (progress, told) = live.progress, outcome
        if live.stale:
            return
        standing = progress if stands_otherwise(live.stands, before, progress) else None
        if told or standing is not None:
            written = record(live.id, live.key, live.definition, told, before.n, standing)
            live.progress = progress
            live.unwritten += 1
            live.stands = progress.status
            self._recorder.add(written if taken is None else written._replace(taken=taken), live)
            self._say(moments(self._performer.service, live, told))
        else:
            live.progress = progress
            self._next(live)

    def _say(self, happened: Iterable[Moment]) -> None:
        if self.report is None:
            return
        try:
            for one in happened:
                self.report(one)
        except Exception:
            log.exception("What happened to a saga could not be reported.")

    def _written(self, live: Live) -> None:
        live.unwritten -= 1
        if live.unwritten == 0:
            self._next(live)

    def _lost(self, live: Live) -> None:
        """The journal tells otherwise: what it says is true."""
        if not live.stale:
            live.stale = True
            self._roll.remove(live)
            self._queue(live.id, doubtful=True)
            self._refill()
