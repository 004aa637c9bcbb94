"""A replica that cannot be started is given up, and not where the machine is short of something for some time."""

from __future__ import annotations

import asyncio
from errno import EMFILE, ENOENT, ENOSPC

import pytest

from ramet.clock import VirtualClock
from ramet.runtime.supervisor.child import Child
from ramet.runtime.supervisor.member import Around, Member
from ramet.runtime.supervisor.patience import Patience
from ramet.tasks import Tasks


@pytest.mark.parametrize(("number", "state"), [(ENOSPC, "waiting"), (EMFILE, "waiting"), (ENOENT, "crashed")])
async def test_what_the_machine_is_short_of_is_waited_for(number: int, state: str) -> None:
    clock, tasks = VirtualClock(), Tasks()

    async def launch(_: Member) -> Child:
        raise OSError(number, "so it is")

    async def obstacle() -> None:
        return None

    around = Around(
        clock=clock,
        spawn=tasks.spawn,
        patience=Patience(),
        launch=launch,
        changed=lambda _: None,
        obstacle=obstacle,
        starting=asyncio.Semaphore(1),
    )
    member = Member("edge", 0, around)
    member.start()
    await clock.advance(120)
    assert member.state == state
    assert "could not be started: so it is" in member.error
    assert not await member.settle()
    await tasks.stop()
