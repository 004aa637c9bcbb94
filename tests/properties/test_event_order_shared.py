"""Whichever of several relays dies, freezes or leaves: each event is handled once, and in order for each key."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ramet.events.relay import SWEEP_EVERY_SECONDS, Relay
from ramet.storage.base import Write
from ramet.storage.leases import Leases
from ramet.tasks import Tasks
from tests.unit.events.bed import TOPIC, Bed
from tests.unit.events.test_relay_shared import commit

Action = float | tuple[str, int]
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from([0.0, 0.03, 0.3, 1.6, 7.0]),
    st.tuples(st.sampled_from(["kill", "expel", "leave"]), st.integers(0, 2)),
    st.tuples(st.just("commit"), st.integers(1, 6)),
)


class Relays:
    """Three processes that publish, each with a relay, over one outbox whose rows are committed in any order."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.running: list[tuple[Tasks, Relay, Leases]] = []
        self.open: list[int] = []
        self.seq = 0
        self.published: list[int] = []
        self.keyed = 0

    async def add(self) -> None:
        bed, tasks = self.bed, Tasks()
        leases = Leases(bed.orders, clock=bed.clock, spawn=tasks.spawn)
        relay = Relay(bed.orders, bed.broker, clock=bed.clock, spawn=tasks.spawn, topics={TOPIC})
        relay.share(leases)
        await leases.join()
        await relay.start()
        self.running.append((tasks, relay, leases))

    async def act(self, action: Action) -> None:
        if isinstance(action, float):
            await self.bed.clock.advance(action)
            return
        what, number = action
        if what == "commit":
            await self._commit(number)
            return
        tasks, relay, leases = self.running[number]
        if what == "expel":
            await self.bed.orders.write(Write("DELETE FROM ramet_lease WHERE owner = ?", [(leases.worker,)]))
            return
        del self.running[number]
        if what == "leave":
            await relay.stop()
            await leases.leave()
        await tasks.stop()
        await self.add()

    async def _commit(self, skip: int) -> None:
        """Some transactions have their numbers now, and are committed later; those of one key wait for each other."""
        for seq in range(self.seq + 1, self.seq + 1 + skip):
            self.open.append(seq)
        self.seq += skip
        now = self.open.pop(len(self.open) // 2)
        await self._publish(now)

    async def _publish(self, seq: int) -> None:
        key = "ordered" if seq > self.keyed else None
        self.keyed = max(self.keyed, seq)
        await commit(self.bed, seq, seq, key=key)
        self.published.append(seq)

    async def finish(self) -> None:
        for seq in self.open:
            await self._publish(seq)
        await self.bed.clock.advance(10 + 3 * SWEEP_EVERY_SECONDS)
        await self.bed.drain()
        handled = await self.bed.notes()
        assert Counter(handled) == Counter(self.published), "each exactly once"
        ordered = await self.bed.notes(key="ordered")
        assert ordered == sorted(ordered)
        for tasks, _, _ in self.running:
            await tasks.stop()


@pytest.mark.usefixtures("quiet")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(actions=st.lists(ACTIONS, min_size=2, max_size=20))
def test_each_event_is_handled_once_whichever_relay_sends(actions: Sequence[Action]) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            bed = Bed(Path(folder))
            await bed.open()
            await bed.subscribe()
            relays = Relays(bed)
            for _ in range(3):
                await relays.add()
            for action in actions:
                await relays.act(action)
            await relays.finish()
            await bed.abandon()

    asyncio.run(live())
