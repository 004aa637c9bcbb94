"""Whatever a use of the database comes to, at whatever moment: every saga that was started ends."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path

import pytest

from ramet.errors import RametError
from tests.unit.faults import Fault, faults
from tests.unit.sagas.examples import Checkout
from tests.unit.sagas.replicas import Group
from tests.unit.sagas.test_custody import TAKEN_OVER, Approval, Approved

FROZEN_SECONDS = 20.0
"""For long enough to be taken for dead."""
ENOUGH_SECONDS = 45.0
"""Whoever has nobody to wake it is found at the next look for sagas of the dead."""


class Life:
    """Sagas of two processes, the first of which dies; the other one meets a fault."""

    def __init__(self, group: Group, fault: Fault) -> None:
        self.group = group
        self.fault = fault

    async def run(self, replicas: int) -> None:
        g, there = self.group, self.group.there
        first, other, *_ = await g.open(replicas)
        there.plan("cards.charge", "hangs")
        await first.start(Checkout, "1", Checkout.State(order="1"))
        await first.start(Approval, "2", Approval.State(order="2"))
        await g.run()
        other.storage.fault = self.fault
        self.fault.arm()
        there.plan("parcels.ship", "broken")
        await self._try(other.begin(Checkout, "3", Checkout.State(order="3")))
        await self._try(other.begin(Approval, "4", Approval.State(order="4")))
        await first.kill()
        await g.run(TAKEN_OVER)
        for order in ("2", "4") * 3:  # as a broker does, until it is handled
            await self._try(g.replicas[-1].publish(Approval, Approved(order=order)))
        await self._wake()
        await g.run(ENOUGH_SECONDS)

    async def obtained(self) -> None:
        """A saga that an operator cancels through another process than its own, which meets the fault."""
        g = self.group
        first, other = await g.open(2)
        g.there.plan("cards.charge", "hangs")
        saga = await first.start(Checkout, "1", Checkout.State())
        await g.run()
        other.storage.fault = self.fault
        self.fault.arm()
        await self._try(other.engine.cancel(saga))
        await g.run(ENOUGH_SECONDS)

    async def _try(self, work: Awaitable[None]) -> None:
        async def tried() -> None:
            with suppress(RametError, RuntimeError):
                await work

        task = self.group.replicas[1].spawn(tried())
        await self.group.run()
        if not task.done():
            await self._wake()
        await task

    async def _wake(self) -> None:
        await self.group.run(FROZEN_SECONDS)
        self.group.replicas[1].gate.wake()
        await self.group.run(1)


@pytest.mark.parametrize(
    ("kind", "replicas", "stride"),
    [("before", 2, 1), ("after", 2, 1), ("away", 2, 2), ("odd", 2, 4), ("frozen", 3, 4), ("late", 3, 4)],
)
async def test_every_use_of_the_database_may_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, replicas: int, stride: int
) -> None:
    for fault, folder in faults(kind, tmp_path, stride):
        g = Group(folder, Checkout, Approval)
        await Life(g, fault).run(replicas)
        what = str(fault)
        assert set(await g.views.counts()) == {"completed"}, what
        assert len(g.there.effects) == len(set(g.there.effects)), what
        assert "forgotten" not in caplog.text, what
        await g.close()


@pytest.mark.parametrize("kind", ["before", "after", "odd"])
async def test_every_use_may_fail_while_a_saga_is_taken_from_another_process(tmp_path: Path, kind: str) -> None:
    for fault, folder in faults(kind, tmp_path):
        g = Group(folder, Checkout)
        await Life(g, fault).obtained()
        assert set(await g.views.counts()) <= {"completed", "compensated"}, str(fault)
        await g.close()
