"""Whichever process dies, freezes or leaves, and whenever: what the sagas of a shared database effect happens once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ramet.errors import UsageError
from ramet.sagas.progress import ENDED, Status
from tests.properties.test_sagas_books import COMMANDS, FAULTS, METHODS, ORDERS, Approved, Order, Story
from tests.unit.sagas.replicas import Group, Replica

WHO = st.integers(0, 2)
Action = float | tuple[str, int] | tuple[str, int, str]
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.sampled_from([0.0, 0.05, 0.5, 1.6, 4.0, 9.0, 40.0]),
    st.tuples(st.sampled_from(["kill", "freeze", "freeze", "wake", "stop", "add"]), WHO),
    st.tuples(st.sampled_from(["start", "approve", "cancel", "retry"]), WHO, st.sampled_from(ORDERS)),
    st.tuples(st.sampled_from(["start", "approve"]), WHO, st.sampled_from(ORDERS)),
)


class Crowd:
    """Three processes, and what happens to them."""

    def __init__(self, folder: Path) -> None:
        self.group = Group(folder, Order)
        self.group.commands = COMMANDS
        self.story = Story(folder)
        self.story.world.there = self.group.there
        self.sagas: dict[str, str] = {}

    async def act(self, action: Action) -> None:
        if isinstance(action, float):
            await self.group.run(action)
            return
        what, who, *order = action
        replicas = self.group.replicas
        one = replicas[who % len(replicas)]
        if order:
            await self._operate(one, what, str(order[0]))
        elif what == "freeze":
            one.gate.freeze()
        elif what == "wake":
            one.gate.wake()
        elif what == "add" or (len(replicas) > 1 and what in {"kill", "stop"}):
            await self._come_and_go(one, what)

    async def _come_and_go(self, one: Replica, what: str) -> None:
        if what == "add":
            await self.group.add()
        elif what == "kill":
            self.group.replicas.remove(one)
            await one.kill()
        elif what == "stop":
            one.gate.wake()
            self.group.replicas.remove(one)
            await self.group.stop(one)

    async def _operate(self, one: Replica, what: str, order: str) -> None:
        """Whoever asks does not wait for ever: the process may be frozen, and answer when it wakes."""
        if what == "start":
            work = self._start(one, order)
        elif what == "approve":
            work = one.publish(Order, Approved(order=order))
        elif order in self.sagas:
            work = self._ask(one, what, self.sagas[order])
        else:
            return
        one.spawn(work)
        await self.group.run()

    async def _start(self, one: Replica, order: str) -> None:
        self.sagas[order] = await one.start(Order, order, Order.State(order=order))

    async def _ask(self, one: Replica, what: str, saga: str) -> None:
        try:
            await (one.engine.cancel if what == "cancel" else one.engine.retry)(saga)
        except UsageError:
            pass

    async def finish(self) -> None:
        """Nothing fails any more, everybody wakes, and operators retry what is parked."""
        group = self.group
        group.there.faults.clear()
        for one in group.replicas:
            one.gate.wake()
        for _ in range(6):
            await group.run(60)
            for parked in await group.views.sagas(status=Status.PARKED):
                await self._operate(group.replicas[0], "retry", parked.key)
        group.there.deliver()
        for saga in await group.views.sagas():
            assert saga.status in ENDED, saga
            self.story.check(saga.key, saga.status)
        for one in group.replicas:
            assert one.engine.idle


@pytest.mark.usefixtures("quiet")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=st.dictionaries(st.sampled_from(METHODS), st.lists(FAULTS, max_size=4), max_size=4),
    actions=st.lists(ACTIONS, min_size=3, max_size=16),
)
@example(  # a worker that was taken for dead has told all of a saga's log, and its row no more
    faults={"mail.tell": ["", "lost", "hangs"]},
    actions=[("freeze", 2), 9.0, ("start", 2, "3"), ("approve", 0, "3")],
)
def test_the_books_are_right_whatever_becomes_of_the_processes(
    faults: dict[str, list[str]], actions: Sequence[Action]
) -> None:
    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            crowd = Crowd(Path(folder))
            for method, planned in faults.items():
                crowd.group.there.plan(method, *planned)
            await crowd.group.open(3)
            await crowd.act(("start", 0, "1"))
            for action in actions:
                await crowd.act(action)
            await crowd.finish()
            await crowd.group.close()

    asyncio.run(story())
