"""Schedules: once for each due time, on one runner, and nothing passes in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.contract.timetable import timetable
from ramet.runtime.schedules import LEASE_SECONDS, SCHEMA, Run, RunOutcome, Schedule, Schedules, schedule_states
from ramet.storage.base import Unit, Write
from ramet.storage.leases import BEAT_SECONDS, SILENCE_SECONDS, Leases
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA as STORAGE_TABLES
from ramet.tasks import Tasks
from ramet.telemetry.context import current_context
from ramet.telemetry.scope import Scope, Work, current_scope
from tests.unit.faults import Gate, OwnClock

NOTES = "CREATE TABLE IF NOT EXISTS note (at DOUBLE PRECISION)"
Act = Callable[[], Awaitable[None]]


class Bed:
    """One service's database, and the runners that share it."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.clock = clock
        self.tasks = Tasks()
        self.storage = SqliteStorage("shop", folder / "shop.sqlite", TEMPORARY)
        self.runs: list[Run] = []
        self.runners: list[Schedules] = []

    async def runner(
        self, when: str, act: Act | None = None, *, zone: str = "UTC", timeout_seconds: float = 300.0
    ) -> Schedules:
        """Start a runner of the schedule shop.tidy, which notes the time and then acts."""

        async def run() -> None:
            unit().defer(Write("INSERT INTO note VALUES (?)", [(self.clock.time(),)]))
            if act is not None:
                await act()

        schedule = Schedule(name="shop.tidy", timetable=timetable(when, zone), run=run, timeout_seconds=timeout_seconds)
        runner = Schedules(self.storage, [schedule], clock=self.clock, spawn=self.tasks.spawn, report=self.runs.append)
        self.runners.append(runner)
        await runner.start()
        await self.clock.settle()
        return runner

    async def notes(self, *, since: float = 0.0) -> list[float]:
        """When it ran, in seconds since a moment."""
        return [at - since for (at,) in await self.storage.fetch("SELECT at FROM note ORDER BY at")]

    def outcomes(self) -> list[tuple[RunOutcome, int]]:
        return [(run.outcome, run.count) for run in self.runs]


def unit() -> Unit:
    scope = current_scope.get()
    assert scope is not None
    assert isinstance(scope.unit, Unit)
    return scope.unit


@asynccontextmanager
async def bed(folder: Path, clock: VirtualClock) -> AsyncIterator[Bed]:
    made = Bed(folder, clock)
    await made.storage.open([*STORAGE_TABLES, *SCHEMA, NOTES])
    try:
        yield made
    finally:
        await made.tasks.stop()
        await made.storage.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


async def test_an_interval_runs_every_so_often(tmp_path: Path, clock: VirtualClock) -> None:
    start = clock.time()
    async with bed(tmp_path, clock) as it:
        await it.runner("10m")
        await clock.advance(3600)
        assert await it.notes(since=start) == [600, 1200, 1800, 2400, 3000, 3600]
        assert it.outcomes() == [(RunOutcome.DONE, 1)] * 6


async def test_cron_text_runs_by_the_clocks_of_its_zone(tmp_path: Path) -> None:
    clock = VirtualClock(start=datetime(2026, 3, 28, tzinfo=UTC))
    async with bed(tmp_path, clock) as it:
        await it.runner("30 2 * * *", zone="Europe/Zurich")
        await clock.advance(2 * 86400)
        expected = [datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]
        assert await it.notes() == [moment.timestamp() for moment in expected]


async def test_a_run_is_work_of_the_service_with_a_key_and_a_trace(tmp_path: Path, clock: VirtualClock) -> None:
    seen: list[Scope | None] = []
    traces: set[str] = set()

    async def look() -> None:
        seen.append(current_scope.get())
        context = current_context.get()
        traces.add(context.trace if context is not None else "")

    async with bed(tmp_path, clock) as it:
        await it.runner("10s", look)
        await clock.advance(20)
    assert [(scope.service, scope.work, scope.name) for scope in seen if scope] == [("shop", Work.SCHEDULE, "tidy")] * 2
    assert len({scope.key for scope in seen if scope}) == 2
    assert len(traces) == 2


async def test_a_failure_that_is_no_text_is_told_too(tmp_path: Path, clock: VirtualClock) -> None:
    async def fail() -> None:
        raise OSError("no file \udcff")

    async with bed(tmp_path, clock) as it:
        await it.runner("10s", fail)
        await clock.advance(3600)
        assert len(it.runs) > 1
        assert {run.error for run in it.runs if run.outcome is RunOutcome.FAILED} == {"OSError: no file \\udcff"}


async def test_a_run_that_hangs_fails(tmp_path: Path, clock: VirtualClock) -> None:
    async def hang() -> None:
        await asyncio.get_running_loop().create_future()

    async with bed(tmp_path, clock) as it:
        await it.runner("10s", hang, timeout_seconds=0.0)
        await clock.advance(3600)
        assert it.runs[0].outcome is RunOutcome.FAILED
        assert it.runs[0].error == "TimeoutError: it took longer than 0 s"


async def test_of_several_runners_one_runs(tmp_path: Path, clock: VirtualClock) -> None:
    async with bed(tmp_path, clock) as it:
        for _ in range(3):
            await it.runner("10s")
        await clock.advance(100)
        assert len(await it.notes()) == 10


async def test_what_was_missed_is_reported_counted_and_made_up_for_once(tmp_path: Path, clock: VirtualClock) -> None:
    async with bed(tmp_path, clock) as it:
        await it.runner("10s")
        await clock.advance(10)
    await clock.advance(55)
    async with bed(tmp_path, clock) as it:
        await it.runner("10s")
        await clock.advance(1)
        assert len(await it.notes()) == 2
        assert it.outcomes() == [(RunOutcome.MISSED, 4), (RunOutcome.DONE, 1)]
        (state,) = await schedule_states(it.storage)
        assert (state.missed, state.failed, state.running_until) == (4, 0, None)
        await clock.advance(9)
        assert it.outcomes()[2:] == [(RunOutcome.DONE, 1)]


async def test_another_timetable_counts_from_now(tmp_path: Path, clock: VirtualClock) -> None:
    async with bed(tmp_path, clock) as it:
        await it.runner("1d")
        await clock.advance(3600)
    async with bed(tmp_path, clock) as it:
        await it.runner("1m")
        await clock.advance(60)
        assert it.outcomes() == [(RunOutcome.DONE, 1)]


async def test_runs_do_not_overlap(tmp_path: Path, clock: VirtualClock) -> None:
    running = most = 0

    async def take_long() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await clock.sleep(25)
        running -= 1

    async with bed(tmp_path, clock) as it:
        await it.runner("10s", take_long)
        await it.runner("10s", take_long)
        await clock.advance(100)
        assert most == 1
        assert it.outcomes()[:2] == [(RunOutcome.SKIPPED, 2), (RunOutcome.DONE, 1)]
        assert not [run for run in it.runs if run.outcome is RunOutcome.MISSED]


async def test_a_long_run_keeps_its_lease(tmp_path: Path, clock: VirtualClock) -> None:
    started: list[float] = []

    async def take_long() -> None:
        started.append(clock.time())
        await clock.sleep(10 * LEASE_SECONDS)

    async with bed(tmp_path, clock) as it:
        await it.runner("1h", take_long)
        await it.runner("1h", take_long)
        await clock.advance(3600 + 11 * LEASE_SECONDS)
        assert len(started) == 1
        assert len(await it.notes()) == 1


async def test_a_run_whose_process_died_is_made_up_for_by_another(tmp_path: Path, clock: VirtualClock) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async with bed(tmp_path, clock) as it:
        await it.runner("1h", hang)
        await clock.advance(3600)
    async with bed(tmp_path, clock) as it:
        await it.runner("1h")
        await clock.advance(1)
        assert await it.notes() == []
        await clock.advance(LEASE_SECONDS)
        assert len(await it.notes()) == 1


async def test_a_runner_that_is_stopped_hands_its_lease_back(tmp_path: Path, clock: VirtualClock) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async with bed(tmp_path, clock) as it:
        hanging = await it.runner("1h", hang)
        await clock.advance(3600)
        await hanging.stop()
        assert await it.notes() == []
        await it.runner("1h")
        await clock.advance(1)
        assert len(await it.notes()) == 1


async def test_a_runner_that_lost_its_lease_commits_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    async with bed(tmp_path, clock) as it:

        async def lose() -> None:
            await it.storage.write(Write("UPDATE ramet_schedule SET lease_owner = 'somebody else'", [()]))

        await it.runner("10s", lose)
        await clock.advance(15)
        assert await it.notes() == []
        assert it.runs == []


@pytest.mark.parametrize("error", [RuntimeError("no"), asyncio.CancelledError("no")])
async def test_a_failing_run_is_tried_again_and_then_reported(
    tmp_path: Path, clock: VirtualClock, error: BaseException
) -> None:
    attempts = 0

    async def fail() -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 4:
            raise error

    async with bed(tmp_path, clock) as it:
        await it.runner("1m", fail)
        await clock.advance(115)
        assert attempts == 3
        (run,) = it.runs
        assert (run.outcome, run.error) == (RunOutcome.FAILED, f"{type(error).__name__}: no")
        (state,) = await schedule_states(it.storage)
        assert (state.failed, state.error) == (1, f"{type(error).__name__}: no")
        assert await it.notes() == []
        await clock.advance(60)
        assert attempts == 5
        (state,) = await schedule_states(it.storage)
        assert (state.failed, state.error) == (1, None)
        assert len(await it.notes()) == 1


async def test_the_clock_may_be_set(tmp_path: Path, clock: VirtualClock) -> None:
    async with bed(tmp_path, clock) as it:
        await it.runner("1d")
        clock._start += 86400.0
        await clock.advance(301)
        assert len(await it.notes()) == 1


async def shared(
    it: Bed, act: Act | None = None, *, when: str = "1h", storage: SqliteStorage | None = None, gate: Gate | None = None
) -> tuple[Schedules, Tasks, Leases]:
    """A runner in a process of its own; its tasks are what the process does, and it is frozen while its gate is."""
    tasks = Tasks()
    storage, clock = storage or it.storage, OwnClock(it.clock, gate or Gate())
    leases = Leases(storage, clock=clock, spawn=tasks.spawn)

    async def run() -> None:
        unit().defer(Write("INSERT INTO note VALUES (?)", [(it.clock.time(),)]))
        if act is not None:
            await act()

    schedule = Schedule(name="shop.tidy", timetable=timetable(when, "UTC"), run=run)
    runner = Schedules(storage, [schedule], clock=clock, spawn=tasks.spawn, report=it.runs.append)
    runner.share(leases)
    await leases.join()
    await runner.start()
    await it.clock.settle()
    return runner, tasks, leases


async def test_of_several_processes_one_runs_for_as_long_as_it_lives(tmp_path: Path, clock: VirtualClock) -> None:
    async def take_long() -> None:
        await clock.sleep(10 * LEASE_SECONDS)

    async with bed(tmp_path, clock) as it:
        processes = [await shared(it, take_long) for _ in range(3)]
        await clock.advance(3600 + 11 * LEASE_SECONDS)
        assert len(await it.notes()) == 1
        assert it.outcomes() == [(RunOutcome.DONE, 1)]
        for _, tasks, _ in processes:
            await tasks.stop()


async def test_a_run_whose_process_died_is_made_up_for_when_it_is_known_to_be_dead(
    tmp_path: Path, clock: VirtualClock
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async with bed(tmp_path, clock) as it:
        _, dying, _ = await shared(it, hang)
        await clock.advance(3600)
        await dying.stop()
        _, tasks, _ = await shared(it)
        await clock.advance(SILENCE_SECONDS - 0.5)
        assert await it.notes() == []
        await clock.advance(2 * BEAT_SECONDS + 2.5)
        assert len(await it.notes()) == 1
        await tasks.stop()


async def test_a_process_that_was_taken_for_dead_commits_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    async with bed(tmp_path, clock) as it:

        async def lose() -> None:
            await it.storage.write(Write("UPDATE ramet_schedule SET lease_owner = 'somebody else'", [()]))

        _, tasks, _ = await shared(it, lose)
        other, others, leases = await shared(it)
        await other.stop()
        await it.storage.write(Write("INSERT INTO ramet_lease VALUES ('worker/somebody else', '', 0, '')", [()]))
        await clock.advance(3602)
        assert await it.notes() == []
        assert it.runs == []
        await tasks.stop()
        await leases.leave()
        await others.stop()
