"""A saga that cannot go on holds no other one up, is seen, and is looked at again, less and less often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Struct
from ramet.errors import StorageError, UsageError
from ramet.sagas import machine
from ramet.sagas.runner import LONGEST_PAUSE_SECONDS
from ramet.storage.base import Write
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.examples import ALL, Checkout, Counting
from tests.unit.sagas.replicas import Group
from tests.unit.sagas.test_custody import TAKEN_OVER
from tests.unit.sagas.world import Crash, Participant

ENOUGH_SECONDS = 3600.0


class Reckless(Saga):
    """Does at its first attempt what the test wants."""

    there: Participant

    class State(Struct):
        pass

    @step
    async def go(self, state: State) -> State:
        if not self.there.effects:
            self.there.effects.append("tried")
            await self.there.rash()  # type: ignore[attr-defined]  # set by the test
        return state


class Hoarder(Saga):
    """Puts something into its state that no journal takes."""

    class State(Struct):
        things: dict[str, Any]

    @step(attempts=2)
    async def hoard(self, state: State) -> State:
        state.things["it"] = object()
        return state


class Later(Saga):
    class State(Struct):
        pass

    @wait(delay="1s")
    async def later(self, state: State) -> State:
        return state


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Group]:
    one = Group(tmp_path, Checkout)
    await one.open(2)
    yield one
    await one.close()


async def broken(group: Group, column: str) -> tuple[str, list[str]]:
    """A saga of which something cannot be read, and others; their worker has died."""
    group.there.plan("cards.charge", *["hangs"] * 3)
    sagas = [await group.replicas[0].start(Checkout, str(n), Checkout.State(order=str(n))) for n in range(3)]
    await group.run()
    await group.storage.write(Write(f"UPDATE ramet_saga SET {column} = '{{' WHERE id = ?", [(sagas[0],)]))
    await group.replicas[0].kill()
    await group.run(TAKEN_OVER)
    return sagas[0], sagas[1:]


@pytest.mark.parametrize("column", ["context", "trouble"])
async def test_a_saga_that_cannot_be_read_keeps_no_other_one_from_being_taken_over(
    group: Group, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    bad, good = await broken(group, column)
    assert [await group.status(saga) for saga in good] == ["completed"] * 2
    assert f"The saga {bad} cannot go on" in caplog.text
    await group.run(ENOUGH_SECONDS)
    assert 10 < caplog.text.count(f"The saga {bad} cannot go on") < 10 + ENOUGH_SECONDS / LONGEST_PAUSE_SECONDS
    with pytest.raises(UsageError, match="cannot go on with this release"):
        await group.replicas[1].engine.cancel(bad)
    (shown,) = [one for one in await group.views.sagas() if one.id == bad]
    assert "cannot go on with this release" in (shown.error or "")
    healed = (await group.storage.fetch(f"SELECT {column} FROM ramet_saga WHERE id = ?", good[0]))[0][0]
    await group.storage.write(Write(f"UPDATE ramet_saga SET {column} = ? WHERE id = ?", [(healed, bad)]))
    await group.run(2 * LONGEST_PAUSE_SECONDS)
    assert await group.status(bad) == "completed"


async def test_a_log_that_cannot_be_read_keeps_no_other_one_from_being_taken_over(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    group.there.plan("cards.charge", *["hangs"] * 2)
    bad, good = [await group.replicas[0].start(Checkout, str(n), Checkout.State(order=str(n))) for n in range(2)]
    await group.run()
    line = "INSERT INTO ramet_saga_log (saga, n, kind, step, data, at) VALUES (?, 1, 'turned back', '', '{', 0)"
    await group.storage.write(Write(line, [(bad,)]))
    await group.replicas[0].kill()
    await group.run(TAKEN_OVER)
    assert await group.status(good) == "completed"
    assert "its log cannot be read" in caplog.text


async def test_a_start_goes_on_with_the_others(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs", "hangs")
    bad, good = [await w.start(Checkout, str(n), Checkout.State(order=str(n))) for n in range(2)]
    await w.run()
    await w.storage.write(Write("UPDATE ramet_saga SET context = '{' WHERE id = ?", [(bad,)]))
    await w.reopen()
    await w.run(1)
    assert await w.status(good) == "completed"


async def test_a_saga_whose_definition_raises_is_tried_again(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due, failures = machine.due, [ValueError("no such day")] * 3

    def sometimes(*given: Any) -> float | None:
        if failures:
            raise failures.pop()
        return due(*given)

    monkeypatch.setattr(machine, "due", sometimes)
    w = await world(Later)
    saga = await w.start(Later, "1", Later.State())
    await w.run(30)
    assert await w.status(saga) == "completed"
    assert caplog.text.count("cannot go on; trying again") == 3


async def cancels() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def cancels_on_its_way_out() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def exits() -> None:
    raise SystemExit("as a command line does")


async def dies() -> None:
    raise Crash


@pytest.mark.parametrize("rash", [cancels, cancels_on_its_way_out, exits, dies])
async def test_an_attempt_that_ends_in_no_way_it_should_is_one_that_failed(
    world: MakeWorld, rash: Callable[[], Awaitable[None]]
) -> None:
    w = await world(Reckless, Checkout)
    w.there.rash = rash  # type: ignore[attr-defined]  # what the step does
    saga = await w.start(Reckless, "1", Reckless.State())
    await w.run()
    assert ((await w.views.show(saga)).saga.attempts == 1) is (rash is not cancels_on_its_way_out)
    await w.run(10)
    assert await w.status(saga) == "completed"


async def test_a_state_that_was_changed_in_its_place_is_the_failure_of_its_step_alone(world: MakeWorld) -> None:
    w = await world(Hoarder, Checkout)
    bad = await w.start(Hoarder, "1", Hoarder.State(things={}))
    good = await w.start(Checkout, "2", Checkout.State())
    await w.run(60)
    assert [await w.status(saga) for saga in (bad, good)] == ["compensated", "completed"]
    assert "cannot be kept" in ((await w.views.show(bad)).saga.reason or "")


async def test_a_record_that_the_database_does_not_take_holds_no_other_one_up(world: MakeWorld) -> None:
    w = await world(Checkout)
    write, refused = w.storage.write, list[str]()

    async def unwilling(*writes: Write) -> tuple[int, ...]:
        if any(row[0] in refused for one in writes for row in one.rows):
            raise StorageError("The row is not to the taste of the database.")
        return await write(*writes)

    w.storage.write = unwilling  # type: ignore[method-assign]  # the fault
    sagas = [await w.start(Checkout, str(n), Checkout.State(order=str(n))) for n in range(9)]
    refused.append(sagas[3])
    await w.run(60)
    assert await w.views.counts() == {"completed": 8, "running": 1}
    refused.clear()
    await w.run(LONGEST_PAUSE_SECONDS)
    assert await w.views.counts() == {"completed": 9}
    assert len(set(w.there.effects)) == len(w.there.effects) == 9 * len(ALL)


async def test_an_error_with_a_nul_can_be_stored(world: MakeWorld) -> None:
    w = await world(Counting)
    w.there.counted = OSError("no \0 here")  # type: ignore[attr-defined]  # what the step raises
    saga = await w.start(Counting, "1", Counting.State())
    await w.run(1)
    assert (await w.views.show(saga)).saga.reason == "OSError: no \\0 here"
