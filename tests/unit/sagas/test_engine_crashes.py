"""What a crash, a stop and a failing disk leave behind."""

from __future__ import annotations

import pytest

from ramet.errors import StorageError
from ramet.storage.base import Write
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.examples import ALL, Checkout, Dirty


async def test_cancel_waits_for_the_step_under_way_and_survives_a_crash(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    w.commands = ("cards.charge",)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    await w.engine.cancel(saga)
    await w.run()
    assert await w.status(saga) == "running"
    await w.reopen()
    await w.run()
    assert await w.status(saga) == "compensated"
    assert w.there.withdrawn == [f"{saga}/charge/do/cards.charge/1"]
    assert w.there.effects == ["stock.reserve o", "cards.refund o", "stock.release o"]


async def test_a_crash_repeats_the_step_in_flight_under_the_same_key(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    await w.reopen()
    await w.run()
    assert await w.status(saga) == "completed"
    assert w.there.effects == ALL
    keys = [key for method, key in w.there.calls if method == "cards.charge"]
    assert keys == [f"{saga}/charge/do/cards.charge/1"] * 2


async def test_attempts_are_counted_across_crashes(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("stock.reserve", "late", "late", "late", "late")
    saga = await w.start(Checkout, "1", Checkout.State())
    for _ in range(3):
        await w.run(1)
        await w.reopen()
    await w.run(60)
    assert await w.status(saga) == "compensated"
    assert len([method for method, _ in w.there.calls if method == "stock.reserve"]) == 3


async def test_stopping_lets_the_step_under_way_finish(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    stopping = w.spawn(w.engine.stop())
    await w.run(1)
    assert not stopping.done()
    await w.run(1.1)
    assert stopping.done()
    await w.reopen()
    await w.run(1)
    assert await w.status(saga) == "completed"


async def test_after_a_crash_what_the_step_may_have_called_is_withdrawn(world: MakeWorld) -> None:
    w = await world(Dirty)
    w.commands = ("a.go", "b.go", "c.go")
    await w.reopen()
    w.there.plan("b.go", "hangs")
    w.there.plan("a.go", "", "refused")
    saga = await w.start(Dirty, "1", Dirty.State())
    await w.run()
    await w.reopen()
    w.there.answers.clear()
    await w.run()
    assert await w.status(saga) == "compensated"
    assert set(w.there.withdrawn) >= {f"{saga}/both/do/b.go/1", f"{saga}/both/do/c.go/1"}


async def test_what_follows_a_step_begins_when_the_step_is_durable(world: MakeWorld) -> None:
    w = await world(Checkout)
    write, held = w.storage.write, w.clock.sleep

    async def slowly(*writes: Write) -> tuple[int, ...]:
        await held(1)
        return await write(*writes)

    await w.start(Checkout, "1", Checkout.State())
    w.storage.write = slowly  # type: ignore[method-assign]  # the fault
    await w.run(0.5)
    assert w.there.effects == ALL[:1]
    await w.run(1)
    assert w.there.effects == ALL[:2]
    await w.run(3)
    assert w.there.effects == ALL


async def test_a_journal_that_fails_is_written_again(world: MakeWorld) -> None:
    w = await world(Checkout)
    write, failures = w.storage.write, [StorageError("The disk is full."), StorageError("The disk is full.")]

    async def sometimes(*writes: Write) -> tuple[int, ...]:
        if failures:
            raise failures.pop()
        return await write(*writes)

    saga = await w.start(Checkout, "1", Checkout.State())
    w.storage.write = sometimes  # type: ignore[method-assign]  # the fault
    await w.run(1)
    assert await w.status(saga) == "completed"
    assert w.there.effects == ALL


async def test_a_saga_that_went_on_elsewhere_is_read_again(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "down")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    state = '{"order": "o", "reserved": true, "charged": true}'
    elsewhere = "INSERT INTO ramet_saga_log (saga, n, kind, step, data, at) VALUES (?, 1, 'did', 'charge', ?, 0)"
    await w.storage.write(Write(elsewhere, [(saga, state)]))
    other = await w.start(Checkout, "2", Checkout.State(order="p"))
    await w.run(1)
    assert [await w.status(saga), await w.status(other)] == ["completed", "completed"]
    assert w.there.effects.count("parcels.ship o") == 1


async def test_more_sagas_than_there_is_room_for_are_read_when_there_is(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ramet.sagas.runner.ROOM", 3)
    w = await world(Checkout)
    for number in range(20):
        await w.start(Checkout, str(number), Checkout.State(order=str(number)))
    await w.run(1)
    assert await w.views.counts() == {"completed": 20}
    assert len(w.there.effects) == 80


async def test_a_saga_that_is_cancelled_while_nobody_runs_it_is_in_doubt(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "stuck")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    await w.crash()
    await w.open(start=False)
    await w.engine.cancel(saga)
    assert await w.status(saga) == "compensating"
    await w.engine.start()
    await w.run()
    assert w.there.effects == ["stock.reserve o", "cards.charge o", "cards.refund o", "stock.release o"]


async def test_a_listener_that_fails_holds_nobody_up(world: MakeWorld, caplog: pytest.LogCaptureFixture) -> None:
    w = await world(Checkout)

    def fail(_: object) -> None:
        raise RuntimeError("no")

    w.engine.report = fail
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert await w.status(saga) == "completed"
    assert "could not be reported" in caplog.text
