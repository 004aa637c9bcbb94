"""A crew's members begin together what waits, and one of them does all that does not; none of them is ever missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ramet.clock import SystemClock
from ramet.sagas.crew import Crew
from ramet.sagas.waking import Limit
from ramet.tasks import Tasks

SIZE = 8


@pytest.fixture
async def crew() -> AsyncIterator[Crew]:
    tasks = Tasks()
    crew = Crew(SystemClock(), tasks.spawn, SIZE, lambda *_: None)
    yield crew
    await crew.stop()
    await tasks.stop()


class Jobs:
    """Jobs that wait until they are let go on; `turns` tells in which turn of the loop each began."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._go = asyncio.Event()
        self.turn = 0
        self.turns: list[int] = []
        self.members: set[asyncio.Task[None] | None] = set()

    async def wait(self, _: Limit) -> None:
        self.turns.append(self.turn)
        await self._go.wait()

    async def pass_by(self, _: Limit) -> None:
        self.members.add(asyncio.current_task())

    async def cancel(self, _: Limit) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    async def all_wait(self, count: int) -> list[int]:
        """The turns in which so many begin."""
        self.turns.clear()
        self._go.clear()
        for _ in range(count):
            self._crew.add(self.wait)
        while len(self.turns) < count:
            self.turn += 1
            await asyncio.sleep(0)
        self._go.set()
        await self._crew.quiet(5)
        return self.turns


async def test_jobs_that_wait_begin_in_the_same_turn(crew: Crew) -> None:
    jobs = Jobs(crew)
    turns = await jobs.all_wait(SIZE)
    assert len(set(turns)) <= 3, "a first one, a second that sees it wait, and all others"
    turns = await jobs.all_wait(SIZE)
    assert len(set(turns)) == 1, "as is known by now"


async def test_one_member_does_all_jobs_that_do_not_wait(crew: Crew) -> None:
    jobs = Jobs(crew)
    for _ in range(10):
        crew.add(jobs.pass_by)
    await crew.quiet(5)
    assert len(jobs.members) == 1


async def test_a_member_that_was_cancelled_is_replaced(crew: Crew, caplog: pytest.LogCaptureFixture) -> None:
    jobs = Jobs(crew)
    for _ in range(2 * SIZE):
        crew.add(jobs.cancel)
        await crew.quiet(5)
    assert len(await jobs.all_wait(SIZE)) == SIZE
    assert "has cancelled the task it ran in" in caplog.text
