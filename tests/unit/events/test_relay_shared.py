"""Relays of several processes over one database: one sends, and a row that is committed late is sent all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.errors import StorageUnavailable
from ramet.events.base import Message
from ramet.events.outbox import Outbox, publish_write
from ramet.events.relay import SWEEP_EVERY_SECONDS, Relay
from ramet.storage.base import Write
from ramet.storage.leases import BEAT_SECONDS, SILENCE_SECONDS, Leases
from tests.unit.events.bed import TOPIC, Bed, bed

TAKEN_OVER = SILENCE_SECONDS + 3 * BEAT_SECONDS


async def shared(it: Bed) -> tuple[Relay, Leases]:
    """One more process with a relay of its own."""
    leases = Leases(it.orders, clock=it.clock, spawn=it.tasks.spawn)
    relay = Relay(it.orders, it.broker, clock=it.clock, spawn=it.tasks.spawn, topics={TOPIC, "orders.Lost"})
    await leases.join()
    relay.share(leases)
    await relay.start()
    await it.clock.settle()
    return relay, leases


async def commit(it: Bed, seq: int, number: int, *, key: str | None = None) -> Message:
    """A transaction that has taken its number some time ago is committed now."""
    message = it.message(number, key=key)
    write = publish_write(message)
    sql = write.sql.replace("(event_id", "(seq, event_id").replace("VALUES (?", "VALUES (?, ?")
    await it.orders.write(Write(sql, [(seq, *row) for row in write.rows]))
    it.orders.notify("ramet_outbox")
    return message


async def test_one_of_several_sends(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        relays = [await shared(it) for _ in range(3)]
        it.relay = relays[2][0]
        await it.publish(*range(100))
        await it.noted(100)
        assert await it.notes() == list(range(100))
        assert len(it.attempts) == 100
        await it.drain()


async def test_another_sends_when_the_one_has_left(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        (first, leases), (it.relay, _) = await shared(it), await shared(it)
        await first.stop()
        await leases.leave()
        await it.publish(1)
        await it.clock.advance(BEAT_SECONDS)
        assert await it.notes() == [1]
        await it.drain()


async def test_one_that_lost_the_lease_stands_by_and_what_it_had_is_handled_once(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        (first, leases), (it.relay, others) = await shared(it), await shared(it)
        await it.publish(1)
        await it.clock.advance(1)
        await it.orders.write(Write("DELETE FROM ramet_lease WHERE owner = ?", [(leases.worker,)]))
        await it.clock.advance(TAKEN_OVER)
        assert sorted([leases.holds("relay"), others.holds("relay")]) == [False, True]
        await it.publish(2)
        await it.clock.advance(1)
        assert await it.notes() == [1, 2]
        await first.stop()
        await it.drain()


async def test_one_that_lost_the_lease_and_could_not_note_what_was_sent_sends_again_when_it_gets_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        it.relay, leases = await shared(it)
        with monkeypatch.context() as away:
            away.setattr(Outbox, "mark", unreachable)
            await it.publish(1)
            await it.clock.advance(1)
            await it.orders.write(Write("DELETE FROM ramet_lease WHERE owner = ?", [(leases.worker,)]))
            await it.clock.advance(TAKEN_OVER)
        assert leases.holds("relay")
        await it.publish(2)
        await it.clock.advance(5)
        assert await it.unsent() == 0


async def test_one_whose_database_is_away_stops_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        it.relay, _ = await shared(it)
        monkeypatch.setattr(Outbox, "mark", unreachable)
        await it.publish(1)
        await it.clock.settle()
        await it.relay.stop()


async def unreachable(*_: object) -> None:
    raise StorageUnavailable("The server is away.")


@pytest.mark.parametrize("others", [5, 3000])
async def test_a_row_that_is_committed_after_others_with_greater_numbers_is_sent_soon(
    tmp_path: Path, others: int
) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        await it.subscribe(method="other", capacity=2)
        it.relay, _ = await shared(it)
        for seq in [1, 2, *range(5, 5 + others)]:
            await commit(it, seq, seq)
        await it.clock.advance(0.5)
        assert 3 not in await it.notes()
        await commit(it, 3, 3)
        await it.clock.advance(0.5)
        await commit(it, 4, 4)
        await it.noted(others + 4)
        await it.drain()
        for consumer in ("billing.note", "billing.other"):
            assert sorted(await it.notes(consumer=consumer)) == list(range(1, others + 5))


async def test_a_row_of_a_transaction_that_takes_very_long_is_sent(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        it.relay, _ = await shared(it)
        for seq in (1, 2, 4):
            await commit(it, seq, seq)
        await it.clock.advance(600)
        await commit(it, 3, 3)
        await it.clock.advance(3 * SWEEP_EVERY_SECONDS)
        assert await it.notes() == [1, 2, 4, 3]
        await it.drain()


async def test_what_was_left_unsent_far_below_what_was_sent_is_sent(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        await commit(it, 3, 3)
        await commit(it, 5000, 5000)
        await it.orders.write(Write("UPDATE ramet_outbox SET sent_at = 1 WHERE seq = 5000", [()]))
        it.relay, _ = await shared(it)
        await it.clock.advance(1)
        assert await it.notes() == [3]
        await it.drain()


async def test_rows_that_nobody_wants_are_marked(tmp_path: Path) -> None:
    async with bed(tmp_path) as it:
        await it.subscribe()
        it.relay, _ = await shared(it)
        await it.publish(1, topic="orders.Lost")
        await it.drain()
        assert not it.relay.wants("orders.Lost")
        assert it.relay.wants(TOPIC)
