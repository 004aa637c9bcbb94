"""What keeps sagas going: which of them are in memory, what each may do next, and how that becomes durable.

What follows a step begins when the step is durable. A bounded crew works on what can be done now; what waits for a time
or an event is forgotten from memory, and read again when its time or its event has come.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from ramet.clock import Clock
from ramet.errors import NotFound, UsageError
from ramet.sagas import machine
from ramet.sagas.alarm import Agenda, Alarm, Limit
from ramet.sagas.attempt import Performer
from ramet.sagas.crew import Crew
from ramet.sagas.definition import Definition, event_name
from ramet.sagas.journal import Journal, Record
from ramet.sagas.live import Live, moment, moments, revive, waiter
from ramet.sagas.moments import Happened, Moment, Report
from ramet.sagas.progress import ENDED, Outcome, Progress, Status
from ramet.sagas.recorder import Recorder
from ramet.sagas.recovery import Recovery
from ramet.storage.base import Row
from ramet.tasks import Spawn

CONCURRENCY = 128
"""How many steps of one service's sagas run at the same time."""

ROOM = 4_000
"""How many sagas of one service are kept in memory; more wait in the journal."""

STOPPING_SECONDS = 10.0
"""How long `stop` lets steps finish; what is cut off is repeated at the next start."""

DOUBT_SECONDS = (1.0, 5.0, 30.0, 300.0)
"""When to look for a saga that may be there: its server was lost during the commit, and may yet come to it."""

PAUSE_SECONDS = 1.0
"""How long to wait before reading the journal again after it could not be read; shorter waits stay in memory."""

SIGNALS_KEPT_SECONDS = 7 * 86_400.0
"""How long an event is kept for a saga that has not been started."""

ENDED_KEPT_SECONDS = 30 * 86_400.0
"""How long a saga that has ended is kept: it can be shown, and its key starts no other one."""

TIDYING_SECONDS = 3_600.0
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
        self._recorder = Recorder(journal, clock, spawn, written=self._written, lost=self._lost)
        self._crew = Crew(clock, spawn, CONCURRENCY)
        self._agenda = Agenda(clock, spawn, self.wake)
        self._tidying = Alarm(clock, spawn, self._tidy)
        self._live: dict[str, Live] = {}
        self._loading: set[str] = set()
        self._backlog: deque[str] = deque()
        self._doubtful: set[str] = set()

    # -- life ----------------------------------------------------------------------------------------------------

    async def start(self, recovery: Recovery) -> None:
        """Go on with what was in flight."""
        self.running = True
        self._tidy()
        self.take(recovery)
        for saga in await self._journal.signalled():
            self.wake(saga)

    def take(self, recovery: Recovery) -> None:
        """Go on with these, once an event or a time has come for those that wait; others may have had them."""
        self._doubtful.update(recovery.ready)
        self._backlog.extend(recovery.ready)
        for saga, until in recovery.waiting:
            if until is not None:
                self._agenda.add(until, saga)
        self._refill()

    def drop(self) -> None:
        """Forget everything: other workers may have gone on with it."""
        for live in self._live.values():
            live.stale = True
        self._live.clear()
        self._loading.clear()
        self._backlog.clear()
        self._doubtful.clear()
        self._agenda.stop()

    async def stop(self) -> None:
        """Let the steps under way finish, for some seconds, make everything durable, and begin nothing more."""
        self.running = False
        self._agenda.stop()
        self._tidying.stop()
        self._crew.drop()
        await self._crew.quiet(STOPPING_SECONDS)
        await self._crew.stop()
        await self._recorder.stop(STOPPING_SECONDS)
        self._live.clear()

    @property
    def idle(self) -> bool:
        """Nothing can be done now: every saga has ended, is parked, or waits for a time or an event."""
        return not (self._live or self._loading or self._backlog)

    def _tidy(self) -> None:
        self._crew.add(self._sweep)
        self._tidying.set(self._clock.monotonic() + TIDYING_SECONDS)

    async def _sweep(self, _: Limit) -> None:
        await self._journal.sweep(self._clock.time() - SIGNALS_KEPT_SECONDS)
        await self._journal.purge(self._clock.time() - ENDED_KEPT_SECONDS)

    # -- what comes in -------------------------------------------------------------------------------------------

    def enter(self, live: Live) -> None:
        """A saga was started, durably."""
        self._say([moment(self._performer.service, live, Happened.STARTED)])
        if self.running and len(self._live) < ROOM:
            self._live[live.id] = live
            self._next(live)
        else:
            self._backlog.append(live.id)

    def doubt(self, saga: str) -> None:
        """A saga may be this process's, durably, and nobody else would look after it then."""
        self._doubtful.add(saga)
        for seconds in DOUBT_SECONDS:
            self._later(saga, seconds)

    def _later(self, saga: str, seconds: float = PAUSE_SECONDS) -> None:
        if self.running:
            self._agenda.add(self._clock.time() + seconds, saga)

    def signalled(self, saga: str, key: str) -> None:
        """An event for the saga with this name and key is there, durably."""
        if self.running:
            self._crew.add(partial(self._find, saga, key))

    async def _find(self, saga: str, key: str, _: Limit) -> None:
        found = await self._journal.find(saga, key)
        if found is not None:
            self.wake(found)

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
                self._live.pop(live.id, None)
        return live.stale

    async def _hold(self, saga: str) -> Live:
        """The saga in memory, read from the journal if need be; of the worker that has it, it is taken over."""
        if saga not in self._live:
            live = await self._read(saga)
            if live is None and self.obtain is not None:
                await self.obtain(saga)
                live = await self._read(saga)
            if live is None:
                saved = await self._journal.load(saga)
                if saved is None:
                    raise NotFound(f"{self._performer.service} has no saga {saga}: `ramet sagas list` shows all.")
                raise UsageError(f"The saga {saga} has ended ({saved.status}); there is nothing to do.")
            if saga not in self._live:
                self._admit(live)
        return self._live[saga]

    # -- memory --------------------------------------------------------------------------------------------------

    def wake(self, saga: str) -> None:
        """The time of a saga has come, or an event for it."""
        live = self._live.get(saga)
        if live is not None:
            live.again = live.seeking
            self._next(live)
        elif saga not in self._loading:
            self._backlog.append(saga)
            self._refill()

    def _refill(self) -> None:
        while self.running and self._backlog and len(self._live) + len(self._loading) < ROOM:
            saga = self._backlog.popleft()
            if saga not in self._live and saga not in self._loading:
                self._loading.add(saga)
                self._crew.add(partial(self._load, saga))

    async def _load(self, saga: str, _: Limit) -> None:
        try:
            live = await self._read(saga)
        except BaseException:  # whatever it was: nobody else would come back to this saga
            self._later(saga)
            raise
        finally:
            self._loading.discard(saga)
        if live is not None and saga not in self._live:
            self._admit(live)
            self._next(live)
        else:
            self._refill()

    def _admit(self, live: Live) -> None:
        """Take a saga into memory: it turns back if it had a reason to; its row is made to say what its log does."""
        self._doubtful.discard(live.id)
        self._live[live.id] = live
        outcome = machine.resumed(live.definition, live.progress, self._clock.time())
        if outcome[1] or live.progress.status is not live.stands:
            self._tell(live, outcome)

    async def _read(self, saga: str) -> Live | None:
        """A saga from the journal; None when it has ended or is not ours."""
        saved = await self._journal.load(saga)
        definition = self._definitions.get(saved.name) if saved is not None else None
        if saved is None or definition is None or saved.ended_at is not None or not self._journal.is_own(saved):
            return None
        return revive(saved, definition, doubtful=saga in self._doubtful or not self.running)

    def _forget(self, live: Live) -> None:
        if self._live.get(live.id) is live:
            del self._live[live.id]
        if self._backlog:
            self._refill()

    def has(self, saga: str) -> bool:
        """Whether a saga is in memory, or will be."""
        return saga in self._live or saga in self._loading or saga in self._backlog or saga in self._agenda

    # -- running -------------------------------------------------------------------------------------------------

    def _next(self, live: Live) -> None:
        """Begin what can be begun; called where a commit or a timer ends, and nobody could handle an error."""
        try:
            self._go_on(live)
        except Exception:
            log.exception("The saga %s %s stands still until the next start.", live.definition.name, live.id)

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
            self._crew.add(partial(self._attempt, live, step))
        if todo.event is not None:
            live.seeking = True
            self._crew.add(partial(self._seek, live))
        elif todo.until is not None:
            self._agenda.add(todo.until, live.id)
            if not live.progress.active and todo.until > now + PAUSE_SECONDS:
                self._forget(live)

    async def _attempt(self, live: Live, step: str, limit: Limit, found: tuple[str, str] | None = None) -> None:
        """One attempt of a step or its undo, with the event it waited for."""
        if live.stale:
            return
        outcome, error = await self._performer.perform(live, step, limit, found)
        event = live.definition.steps[step].event
        taken = None if found is None or error or event is None else (*waiter(live), event_name(event), found[0])
        self._tell(live, outcome, taken)
        if error is not None:
            self._say([moment(self._performer.service, live, Happened.FAILED, step, error)])

    async def _seek(self, live: Live, limit: Limit) -> None:
        """Look for the event that a saga waits for."""
        step = live.definition.stages[live.progress.stage][0]
        assert step.event is not None
        live.again = False
        try:
            found = await self._journal.signal(*waiter(live), event_name(step.event))
        except BaseException:  # whatever it was: nobody else would come back to this saga
            self._later(live.id)
            raise
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
        if todo.until is not None:
            self._agenda.add(todo.until, live.id)
        return self._forget(live)

    def _tell(self, live: Live, outcome: Outcome, taken: Row | None = None) -> None:
        """Something was decided: write it, and go on when it is durable."""
        before, (progress, told) = live.progress, outcome
        if live.stale:
            return
        live.progress = progress
        standing = progress if _stands_otherwise(live.stands, before, progress) else None
        if told or standing is not None:
            live.unwritten += 1
            live.stands = progress.status
            record = Record(live.id, live.key, live.definition, told, before.n, standing, taken)
            self._recorder.add(record, live)
            self._say(moments(self._performer.service, live, told))
        else:
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
            self._doubtful.add(live.id)
            self._live.pop(live.id, None)
            self.wake(live.id)


def _stands_otherwise(stands: Status, before: Progress, after: Progress) -> bool:
    """Whether the saga's row has to change: steps that just go well do not touch it."""
    return (
        after.status is not stands
        or after.reason != before.reason
        or (after.trouble is not before.trouble and bool(after.trouble))
    )
