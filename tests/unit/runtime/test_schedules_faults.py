"""Whatever a use of the database comes to, at whatever moment: schedules go on, and no due time has two runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.runtime.schedules import schedule_states
from ramet.storage.base import Write
from ramet.telemetry.scope import current_scope
from tests.unit.faults import Fault, Gate, OwnStorage, faults
from tests.unit.runtime.test_schedules import Bed, bed, shared, unit


@pytest.mark.parametrize("kind", ["before", "after", "away", "odd", "frozen", "late"])
async def test_every_use_of_the_database_may_fail(tmp_path: Path, kind: str) -> None:
    for fault, folder in faults(kind, tmp_path):
        async with bed(folder, VirtualClock()) as it:
            await meet(fault, it)
            keys = [key for (key,) in await it.storage.fetch("SELECT key FROM due")]
            (state,) = await schedule_states(it.storage)
        what = str(fault)
        assert len(keys) == len(set(keys)), what
        assert it.clock.time() - state.last_run < 10, what
        assert len(keys) + state.missed == 12, what
        assert state.failed == (kind == "odd" and len(keys) == 11), what


async def meet(fault: Fault, it: Bed) -> None:
    """Two minutes of two processes, the first of which meets the fault."""
    await it.storage.write(Write("CREATE TABLE due (key TEXT)", [()]))

    async def note() -> None:
        scope = current_scope.get()
        assert scope is not None
        unit().defer(Write("INSERT INTO due VALUES (?)", [(scope.key,)]))

    gate = Gate()
    own = OwnStorage(it.storage, gate)
    own.fault = fault
    processes = [await shared(it, note, when="10s", storage=own, gate=gate), await shared(it, note, when="10s")]
    fault.arm()
    await it.clock.advance(60)
    own.fault = Fault()
    gate.wake()
    await it.clock.advance(65)
    for _, tasks, _ in processes:
        await tasks.stop()


async def test_one_whose_database_is_away_stops_all_the_same(tmp_path: Path) -> None:
    async with bed(tmp_path, VirtualClock()) as it:
        own = OwnStorage(it.storage, gate := Gate())
        schedules, tasks, _ = await shared(it, storage=own, gate=gate)
        own.fault = fault = Fault(1, "before")
        fault.arm()
        await schedules.stop()
        assert fault.met.is_set()
        await tasks.stop()
