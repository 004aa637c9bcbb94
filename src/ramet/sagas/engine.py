"""The engine: the sagas of one service, from the outside.

Sagas start and events arrive in transactions of the service; the runner is told when these are durable. After a crash
the step that was in flight is repeated under the same key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from ramet.clock import Clock
from ramet.contract.saga import Saga
from ramet.contract.service import SagaRef
from ramet.contract.struct import Event, Struct
from ramet.errors import UsageError
from ramet.sagas import machine
from ramet.sagas.attempt import Performer
from ramet.sagas.custody import Custody
from ramet.sagas.definition import Definition
from ramet.sagas.journal import FIRST, INSERT, INSERT_NEW, Journal, SavedSaga, signal_write
from ramet.sagas.live import Live, row_of
from ramet.sagas.moments import Report
from ramet.sagas.progress import Status
from ramet.sagas.release import objection, refusal
from ramet.sagas.roll import Recovery, sort_in
from ramet.sagas.runner import Runner
from ramet.storage.base import Storage, Unit, Write
from ramet.storage.leases import Leases
from ramet.tasks import Spawn
from ramet.telemetry.context import Believe, Context
from ramet.telemetry.scope import current_scope

TIDYING_SECONDS = 3_600.0
log = logging.getLogger("ramet.sagas")

LOOKS = 100
"""How many starts look whether their key is free, after one whose key was not."""


class SagaEngine:
    """Runs the sagas of one service from `start` to `stop`; `report` may be set to listen to what happens.

    Where it shares the database with other processes of the service, it runs the sagas that it begins, and those of
    workers that have gone.
    """

    def __init__(
        self,
        service: str,
        definitions: Sequence[Definition],
        *,
        storage: Storage,
        clock: Clock,
        spawn: Spawn,
        withdraw: Callable[[str, str], Awaitable[object]],
    ) -> None:
        self._service = service
        self._storage = storage
        self._clock = clock
        self._definitions = {one.name: one for one in definitions}
        self._by_class = {one.cls: one for one in definitions}
        self._spawn = spawn
        self._journal = Journal(storage)
        self._performer = Performer(service, clock, withdraw)
        self._runner = Runner(self._journal, self._definitions, self._performer, clock, spawn)
        self._recovery: Recovery | None = None
        self._custody: Custody | None = None
        self._looks = 0
        self._tidying: asyncio.Task[None] | None = None

    @property
    def versions(self) -> list[str]:
        """What this release can go on with: the others are told by `Leases(about=…)`."""
        return [one.version for one in self._definitions.values()]

    def judge(self, believe: Believe | None) -> None:
        """Ask whether the users of sagas are to be believed; called before `start`."""
        self._performer.believe = believe

    def share(self, leases: Leases) -> None:
        """Run the sagas of a database that other processes have open, too; called before `check`."""
        self._journal.leases = leases
        self._custody = Custody(self._journal, self._definitions, leases, self._runner, self._clock, self._spawn)
        self._runner.obtain = self._custody.obtain

    @property
    def report(self) -> Report | None:
        """Who is told of every moment; None for nobody."""
        return self._runner.report

    @report.setter
    def report(self, report: Report | None) -> None:
        self._runner.report = report

    # -- life ----------------------------------------------------------------------------------------------------

    async def check(self, *, replaces: bool = False) -> None:
        """See whether the sagas in flight can go on with this release, or with one that runs beside it.

        One that this release `replaces` is about to end, and does not count.
        Raises: IncompatibleRelease, which names those that cannot.
        """
        if self._custody is not None:
            await self._custody.check(self._service, replaces=replaces)
            self._recovery = Recovery()
        else:
            self._recovery = await self._recover()

    async def _recover(self) -> Recovery:
        """Read every saga in flight. Raises: IncompatibleRelease, which names those that cannot go on."""
        shapes = await self._journal.shapes(self._definitions.values())
        recovery, stranded = Recovery(), list[tuple[SavedSaga, str]]()
        async for saga in self._journal.live():
            definition = self._definitions.get(saga.name)
            reason = objection(saga, definition, shapes)
            if reason is not None:
                stranded.append((saga, reason))
            elif definition is not None and saga.status != Status.PARKED:
                sort_in(recovery, saga, definition, self._clock.time())
        if stranded:
            raise refusal(self._service, stranded)
        await self._journal.adopt(self._definitions.values())
        return recovery

    async def start(self) -> None:
        """Go on with every saga in flight. Raises: IncompatibleRelease as `check` does."""
        if self._recovery is None:
            await self.check()
        assert self._recovery is not None
        recovery, self._recovery = self._recovery, None
        self._tidying = self._spawn(self._keep_tidying())
        await self._runner.start(recovery)
        if self._custody is not None:
            await self._custody.start()

    async def stop(self) -> None:
        """Let the steps under way finish, for some seconds, make everything durable, and begin nothing more."""
        if self._custody is not None:
            await self._custody.stop()
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await self._runner.stop()

    async def _keep_tidying(self) -> None:
        while True:
            try:
                await self._journal.tidy(self._clock.time())
            except Exception:  # whatever it was: the next time may be better
                log.exception("What is old could not be thrown away; trying again in %g s.", TIDYING_SECONDS)
            await self._clock.sleep(TIDYING_SECONDS)

    def knows(self, saga: type[Saga]) -> bool:
        """Whether this service runs the saga."""
        return saga in self._by_class

    @property
    def idle(self) -> bool:
        """Nothing can be done now: every saga has ended, is parked, or waits for a time or an event."""
        return self._runner.idle

    # -- starting ------------------------------------------------------------------------------------------------

    async def begin(self, unit: Unit, saga: type[Saga], *, key: str, state: Struct, context: Context) -> SagaRef:
        """Start a saga in the transaction of `unit`; it runs once that is durable.

        The key finds the saga of this class that was started with it and is in flight, or ended in the last 30 days;
        then none is started.
        """
        live = self._new(saga, key, state, context)
        if await self._is_new(live):
            unit.defer(Write(INSERT_NEW, [row_of(live, self._journal.worker)]))
            self._enter_after(unit, live)
            return SagaRef(id=live.id, key=key, started=True)
        if await unit.execute(INSERT, *row_of(live, self._journal.worker)):
            self._enter_after(unit, live)
            return SagaRef(id=live.id, key=key, started=True)
        self._looks = LOOKS
        return SagaRef(id=(await unit.fetch(FIRST, live.definition.name, key))[0][0], key=key, started=False)

    def _enter_after(self, unit: Unit, live: Live) -> None:
        unit.after_commit(partial(self._runner.enter, live), partial(self._runner.doubt, live.id))

    async def _is_new(self, live: Live) -> bool:
        """Whether the saga's row can be deferred, since nobody is supposed to have the key; who errs runs again.

        A deferred row costs no round trip of its own: in a database of one process it is as cheap without. Where keys
        are found taken, it is looked first, so that those who start sagas twice do not undo the work of others.
        """
        scope = current_scope.get()
        if not self._storage.shared or scope is None or scope.ran_again or (scope.calls and scope.key is None):
            return False
        if self._looks:
            self._looks -= 1
            if await self._storage.exists(FIRST, live.definition.name, live.key):
                self._looks = LOOKS
                return False
        scope.supposed = True
        return True

    async def launch(self, saga: type[Saga], *, key: str, state: Struct, context: Context) -> SagaRef:
        """Start a saga in a transaction of its own, as `begin` does; durable when this returns."""
        live = self._new(saga, key, state, context)
        try:
            (inserted,) = await self._storage.write(Write(INSERT, [row_of(live, self._journal.worker)]))
        except BaseException:
            self._runner.doubt(live.id)
            raise
        if inserted:
            self._runner.enter(live)
            return SagaRef(id=live.id, key=key, started=True)
        return SagaRef(id=(await self._storage.fetch(FIRST, live.definition.name, key))[0][0], key=key, started=False)

    def _new(self, saga: type[Saga], key: str, state: Struct, context: Context) -> Live:
        definition = self._by_class[saga]
        if not isinstance(state, definition.state):
            raise UsageError(
                f"{definition.name} was started with a {type(state).__name__}: give it a {definition.name}.State."
            )
        try:
            state = definition.kept(state)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{definition.name} was started with a State that cannot be kept: {error}.") from error
        return Live(self._clock.id(), key, definition, machine.begin(state, self._clock.time()), context)

    # -- events --------------------------------------------------------------------------------------------------

    async def signal(self, saga: type[Saga], event: Event) -> None:
        """Keep an event for the saga whose key it has, in the transaction of the handler that runs, and wake it."""
        definition, scope = self._by_class[saga], current_scope.get()
        assert scope is not None, "signal is called by the consumer of the event"
        if scope.unit is None:
            scope.unit = self._storage.unit()
        unit = scope.unit
        assert isinstance(unit, Unit)
        keys = definition.keys_of(event)
        unit.defer(signal_write(definition.name, keys, event, scope.key or self._clock.id(), self._clock.time()))
        for key in keys:
            unit.after_commit(partial(self._runner.signalled, definition.name, key))

    # -- operators -----------------------------------------------------------------------------------------------

    async def cancel(self, saga: str) -> None:
        """Undo a saga as if its next step had been refused; durable when this returns.

        Raises: NotFound; UsageError when it has ended, is being undone already, or can only go forward.
        """
        await self._runner.operate(saga, lambda live, now: machine.cancel(live.definition, live.progress, now))

    async def retry(self, saga: str) -> None:
        """Make a parked saga go on, and one that waits for its next attempt try at once.

        Raises: NotFound; UsageError when it has ended.
        """
        await self._runner.operate(saga, lambda live, now: machine.retry(live.progress, now))
