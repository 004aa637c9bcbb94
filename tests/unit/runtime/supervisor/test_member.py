"""A replica that cannot be started is given up, and not where what it lacks may come back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from errno import EMFILE, ENOENT, ENOSPC

import pytest

from ramet.clock import VirtualClock
from ramet.runtime.supervisor.child import Child
from ramet.runtime.supervisor.member import Around, Member
from ramet.runtime.supervisor.patience import REFUSED, Patience
from ramet.tasks import Tasks


def around(clock: VirtualClock, tasks: Tasks, launch: Callable[[Member], Awaitable[Child]]) -> Around:
    async def obstacle() -> None:
        return None

    return Around(
        clock=clock,
        spawn=tasks.spawn,
        patience=Patience(),
        launch=launch,
        changed=lambda _: None,
        obstacle=obstacle,
        starting=asyncio.Semaphore(1),
    )


@pytest.mark.parametrize(("number", "state"), [(ENOSPC, "waiting"), (EMFILE, "waiting"), (ENOENT, "crashed")])
async def test_what_the_machine_is_short_of_is_waited_for(number: int, state: str) -> None:
    clock, tasks = VirtualClock(), Tasks()

    async def launch(_: Member) -> Child:
        raise OSError(number, "so it is")

    member = Member("edge", 0, around(clock, tasks, launch))
    member.start()
    await clock.advance(120)
    assert member.state == state
    assert "could not be started: so it is" in member.error
    assert not await member.settle()
    await tasks.stop()


class Refused(Child):
    """One that ends at once with the code of who was refused, and says so; it may have been ready before."""

    last_words = ""
    is_alive = False

    def __init__(self, member: Member, *, ready: bool) -> None:
        self._member = member
        self._ready = ready

    async def ended(self) -> int:
        if self._ready:
            self._member.is_ready()
        self._member.leaving()
        return REFUSED


@pytest.mark.parametrize(("served", "state"), [(True, "waiting"), (False, "crashed")])
async def test_who_has_served_before_may_be_refused_for_long(served: bool, state: str) -> None:
    clock, tasks, starts = VirtualClock(), Tasks(), 0

    async def launch(member: Member) -> Child:
        nonlocal starts
        starts += 1
        return Refused(member, ready=served and starts == 1)

    member = Member("edge", 0, around(clock, tasks, launch))
    member.start()
    await clock.advance(300)
    assert member.state == state
    assert (starts > 20) is served
    await tasks.stop()
