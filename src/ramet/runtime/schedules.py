"""Schedules: runs a service's `@every` methods when they are due, on one replica, each as one local transaction.

A schedule is a row in the service's own database that says which due time was run last. A runner takes the row's lease,
runs the method, and writes the due time in the method's own transaction, on the condition that it still has the lease:
of two runners that take each other for dead, only one commits. Where several processes share the database, the lease is
good as long as the worker lives that has it (storage/leases.py), and no clocks are compared; else it has an end. A
runner may take its own lease again: that is what is left of a run that ended because the database was away.

- Due times that passed while no process was there are *missed*: reported, counted, and made up for by one run.
- Due times that pass while a run is still going are *skipped*: runs never overlap.
- A run that fails is tried again a few times, soon; then it is reported as failed, and the next due time comes. One
  whose database was away is not a failure: it is due for as long as that takes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ramet.clock import Clock
from ramet.contract.timetable import Timetable, due_between, next_after
from ramet.errors import CommitUnknown, StorageError, StorageUnavailable, described
from ramet.storage.base import Storage, Unit, Write
from ramet.storage.leases import Leases, worker_of
from ramet.storage.work import transact_within
from ramet.tasks import Spawn, is_ending
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.scope import Scope, Work

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS ramet_schedule (
        name TEXT NOT NULL PRIMARY KEY, timetable TEXT NOT NULL, last_run DOUBLE PRECISION NOT NULL,
        lease_owner TEXT, lease_until DOUBLE PRECISION,
        missed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, error TEXT)""",
)
LEASE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 2.0
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_NAP_SECONDS = 300.0
log = logging.getLogger("ramet.schedules")

_BEGIN = (
    "INSERT INTO ramet_schedule (name, timetable, last_run) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
    "SET timetable = excluded.timetable, last_run = excluded.last_run "
    "WHERE ramet_schedule.timetable <> excluded.timetable"
)
_STATE = "SELECT last_run, lease_owner, lease_until FROM ramet_schedule WHERE name = ?"
_CLAIM = (
    "UPDATE ramet_schedule SET lease_owner = ?, lease_until = ? "
    "WHERE name = ? AND last_run = ? AND (lease_owner IS NULL OR lease_owner = ? OR {is_free})"
)
_CLAIM_ALONE = _CLAIM.format(is_free="lease_until < ?")
_CLAIM_SHARED = _CLAIM.format(is_free=f"NOT EXISTS ({worker_of('ramet_schedule.lease_owner')})")
_RENEW = "UPDATE ramet_schedule SET lease_until = ? WHERE name = ? AND lease_owner = ?"
_RELEASE = "UPDATE ramet_schedule SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = ?"
_FINISH = (  # finds its row without a look at the others', which would put two transactions in each other's way
    "INSERT INTO ramet_schedule (name, timetable, last_run, missed, failed, error) VALUES (?, '', ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET last_run = excluded.last_run, missed = ramet_schedule.missed + excluded.missed, "
    "failed = ramet_schedule.failed + excluded.failed, error = excluded.error, lease_owner = NULL, lease_until = NULL "
    "WHERE ramet_schedule.lease_owner = ?"
)
_LIST = "SELECT name, last_run, lease_until, missed, failed, error FROM ramet_schedule ORDER BY name"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A method that is run on a timetable, and rolled back after `timeout_seconds`; `name` is "<service>.<method>"."""

    name: str
    timetable: Timetable
    run: Callable[[], Awaitable[None]]
    timeout_seconds: float = 300.0


class ScheduleState(msgspec.Struct, frozen=True, kw_only=True):
    """What operators see: the due time run last, until when a runner has it, how many were missed, how many failed."""

    name: str
    last_run: float
    running_until: float | None
    missed: int
    failed: int
    error: str | None


class RunOutcome(StrEnum):
    """What became of a due time."""

    DONE = "done"
    FAILED = "failed"
    MISSED = "missed"
    SKIPPED = "skipped"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a schedule, for metrics and logs: `count` due times, the last of them `due`, had this outcome."""

    name: str
    outcome: RunOutcome
    due: float
    count: int = 1
    error: str | None = None


def log_run(run: Run) -> None:
    """The default listener: what did not go as planned is a warning."""
    if run.outcome is not RunOutcome.DONE:
        log.warning("schedule %s: %d %s %s", run.name, run.count, run.outcome.value, run.error or "")


async def schedule_states(storage: Storage) -> list[ScheduleState]:
    """All schedules of a service that have ever been started."""
    names = ScheduleState.__struct_fields__
    return [ScheduleState(**dict(zip(names, row, strict=True))) for row in await storage.fetch(_LIST)]


class _Turn(NamedTuple):
    """One run of a schedule by its lease's `owner`: for the time `due`, with those `missed` before it."""

    schedule: Schedule
    due: float
    owner: str
    missed: int


class LeaseLost(StorageError):
    """Another runner took the schedule over, so this run was rolled back."""


class Schedules:
    """Runs the schedules of one service. `spawn` makes its background tasks."""

    def __init__(
        self,
        storage: Storage,
        schedules: Sequence[Schedule],
        *,
        clock: Clock,
        spawn: Spawn,
        report: Callable[[Run], None] = log_run,
    ) -> None:
        self._storage = storage
        self._schedules = schedules
        self._clock = clock
        self._spawn = spawn
        self._report = report
        self._leases: Leases | None = None
        self._own = clock.id()
        self._loops: list[asyncio.Task[None]] = []

    def share(self, leases: Leases) -> None:
        """Share the schedules with the service's other processes at this database; called before `start`."""
        self._leases = leases

    @property
    def _owner(self) -> str:
        return self._own if self._leases is None else self._leases.worker

    async def start(self) -> None:
        """Begin to watch the clock. A schedule that is new, or has another timetable than before, counts from now."""
        if self._schedules:
            now = self._clock.time()
            rows = [(schedule.name, str(schedule.timetable), now) for schedule in self._schedules]
            await self._storage.write(Write(_BEGIN, rows))
        self._loops = [self._spawn(self._watch(schedule)) for schedule in self._schedules]

    async def stop(self) -> None:
        """Start no further run; one that is going is cancelled, rolled back, and made up for later.

        Where the database is away its lease is left behind, to end as that of somebody who died.
        """
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        try:
            await self._storage.write(Write(_RELEASE, [(self._owner,)]))
        except StorageError as error:
            log.warning("the schedules of %s could not be handed back: %s", self._storage.service, error)

    async def _watch(self, schedule: Schedule) -> None:
        while True:
            try:
                last_run, owner, until = (await self._storage.fetch(_STATE, schedule.name))[0]
                is_free = self._leases is not None or owner in {None, self._own}
                await self._sleep_until(max(next_after(schedule.timetable, last_run), 0.0 if is_free else until))
                if not await self._run_due(schedule) and self._leases is not None:
                    await self._clock.sleep(LOOK_AGAIN_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it was: the next due time comes
                log.warning("schedule %s: %s", schedule.name, described(error))
                await self._clock.sleep(FIRST_PAUSE_SECONDS)

    async def _sleep_until(self, moment: float) -> None:
        """In naps, for the machine's clock may be set."""
        while (left := moment - self._clock.time()) > 0:
            await self._clock.sleep(min(left, LONGEST_NAP_SECONDS))

    async def _run_due(self, schedule: Schedule) -> bool:
        """If it is still due and nobody runs it: one run for the latest of them. False where it is not ours."""
        last_run = (await self._storage.fetch(_STATE, schedule.name))[0][0]
        now = self._clock.time()
        count, due = due_between(schedule.timetable, last_run, now)
        if not count:
            return True
        owner = self._owner
        claim = (owner, now + LEASE_SECONDS, schedule.name, last_run, owner)
        shared = self._leases is not None
        write = Write(_CLAIM_SHARED, [claim]) if shared else Write(_CLAIM_ALONE, [(*claim, now)])
        if await self._storage.write(write) != (1,):
            return False
        keeper = self._spawn(self._keep_lease(schedule.name, owner))
        try:
            await self._run(_Turn(schedule, due, owner, missed=count - 1))
        finally:
            keeper.cancel()
        return True

    async def _run(self, turn: _Turn) -> None:
        schedule = turn.schedule
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._attempt(turn)
            except (LeaseLost, StorageUnavailable, CommitUnknown):
                raise
            except (Exception, asyncio.CancelledError) as error:
                if is_ending():
                    raise
                log.exception("schedule %s failed, attempt %d of %d", schedule.name, attempt, ATTEMPTS)
                if attempt == ATTEMPTS:
                    await self._give_up(turn, error)
                else:
                    await self._clock.sleep(self._clock.jitter(FIRST_PAUSE_SECONDS * 4 ** (attempt - 1)))
            else:
                self._tell(turn, RunOutcome.DONE)
                return

    async def _attempt(self, turn: _Turn) -> None:
        schedule = turn.schedule
        service, _, method = schedule.name.partition(".")
        scope = Scope(service, Work.SCHEDULE, method, f"{schedule.name}/{turn.due:.3f}")
        token = current_context.set(Context.root(self._clock.id()))
        try:
            skipped, last = await transact_within(
                schedule.timeout_seconds, self._storage, scope, lambda: self._run_and_note(turn, scope)
            )
        finally:
            current_context.reset(token)
        if skipped:
            self._report(Run(name=schedule.name, outcome=RunOutcome.SKIPPED, due=last, count=skipped))

    async def _run_and_note(self, turn: _Turn, scope: Scope) -> tuple[int, float]:
        """The method, and in its transaction the due time; returns how many more passed meanwhile, and the last."""
        name = turn.schedule.name
        await turn.schedule.run()
        skipped, last = due_between(turn.schedule.timetable, turn.due, self._clock.time())
        unit = scope.unit
        assert isinstance(unit, Unit)
        if await unit.execute(_FINISH, name, last, turn.missed, 0, None, turn.owner) != 1:
            raise LeaseLost(
                f"The schedule {name} was taken over by another runner, so this run was rolled back: "
                f"this process was frozen, or its loop was blocked, for longer than others wait."
            )
        return skipped, last

    async def _give_up(self, turn: _Turn, error: BaseException) -> None:
        _, last = due_between(turn.schedule.timetable, turn.due, self._clock.time())
        reason = described(error)
        row = (turn.schedule.name, last, turn.missed, 1, reason, turn.owner)
        if await self._storage.write(Write(_FINISH, [row])) == (1,):
            self._tell(turn, RunOutcome.FAILED, reason)

    def _tell(self, turn: _Turn, outcome: RunOutcome, error: str | None = None) -> None:
        if turn.missed:
            self._report(Run(name=turn.schedule.name, outcome=RunOutcome.MISSED, due=turn.due, count=turn.missed))
        self._report(Run(name=turn.schedule.name, outcome=outcome, due=turn.due, error=error))

    async def _keep_lease(self, name: str, owner: str) -> None:
        """Where it has an end; elsewhere that would be in the way of the run, which has read the row as it was."""
        while self._leases is None:
            await self._clock.sleep(LEASE_SECONDS / 3)
            try:
                await self._storage.write(Write(_RENEW, [(self._clock.time() + LEASE_SECONDS, name, owner)]))
            except Exception as error:  # noqa: BLE001 - as above
                log.warning("schedule %s: the lease could not be renewed: %s", name, described(error))
