"""A bounded number of tasks that take jobs from one queue, so that what waits for its turn costs no task."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from ramet.clock import Clock
from ramet.sagas.live import Live
from ramet.sagas.waking import Limit, Limits
from ramet.tasks import Spawn, first_of

Job = Callable[[Limit], Awaitable[None]]
"""What is to be done, given the stopwatch of the member who does it."""

_LOG = logging.getLogger("ramet.sagas")


class Crew:
    """Works on jobs in the order in which they come, at most `size` at the same time.

    `failed` is told whose job has raised something, for nobody else would go on with that saga.
    """

    def __init__(self, clock: Clock, spawn: Spawn, size: int, failed: Callable[[Live, Exception], None]) -> None:
        self._clock = clock
        self._limits = Limits(clock)
        self._spawn = spawn
        self._size = size
        self._failed = failed
        self._jobs: deque[tuple[Job, Live | None]] = deque()
        self._members: list[asyncio.Task[None]] = []
        self._idle: list[asyncio.Future[None]] = []
        self._coming = 0
        self._at_work = 0
        self._jobs_wait = False
        self._quiet: asyncio.Future[None] | None = None

    def add(self, job: Job, live: Live | None = None) -> None:
        """Do this, for a saga in memory or for all, when somebody is free."""
        self._jobs.append((job, live))
        self._call()

    def drop(self) -> None:
        """Forget the jobs that have not begun."""
        self._jobs.clear()

    def _call(self) -> None:
        """Get members to look at the queue.

        Where jobs wait for something, it is as many as there are jobs, which begin in the same turn of the loop, so
        that what they send leaves together. Where they do not, one member does them all.
        """
        wanted = len(self._jobs) if self._jobs_wait else 1
        while self._coming < wanted:
            if self._idle:
                self._idle.pop().set_result(None)
            elif len(self._members) < self._size:
                member = self._spawn(self._work())
                self._members.append(member)
                member.add_done_callback(self._left)
            else:
                return
            self._coming += 1

    def _left(self, member: asyncio.Task[None]) -> None:
        """Sent home; or a step has cancelled the task it ran in: somebody comes for the place."""
        if member in self._members:
            self._members.remove(member)
            _LOG.error("A step of a saga has cancelled the task it ran in, which counts as a failure of the step.")
            if self._jobs:
                self._call()
            self._look_whether_quiet()

    async def _work(self) -> None:
        limit, member = self._limits.new(), asyncio.current_task()
        assert member is not None
        while True:
            self._coming -= 1
            await self._do_jobs(member, limit)
            if member.cancelling():  # as a job was told that has survived it
                return
            await self._wait()

    async def _do_jobs(self, member: asyncio.Task[None], limit: Limit) -> None:
        done = 0
        while self._jobs and not member.cancelling():
            job, live = self._jobs.popleft()
            self._jobs_wait |= self._at_work > 0  # in the middle of one
            if self._jobs:
                self._call()
            self._at_work += 1
            try:
                await job(limit)
            except asyncio.CancelledError:
                if live is not None and not self._limits.is_stopped:  # a step before has kept the task, and ended it
                    self._failed(live, RuntimeError("its task was cancelled by a step of another saga"))
                raise
            except Exception as error:  # noqa: BLE001 - a member that died would never be missed
                if live is None:
                    _LOG.exception("Something to be done for sagas failed outside of their steps.")
                else:
                    self._failed(live, error)
            finally:
                self._at_work -= 1
            if self._jobs and not self._at_work:
                self._jobs_wait = False
            done += 1
            if done % 32 == 0:  # jobs that never wait would keep everything else waiting
                await self._clock.sleep(0)

    async def _wait(self) -> None:
        """Be idle until there is something to do."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(turn)
        self._look_whether_quiet()
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._idle:
                self._idle.remove(turn)
            else:
                self._coming -= 1
            raise

    async def quiet(self, seconds: float) -> None:
        """Return when everybody is idle, or after that many seconds."""
        self._quiet = asyncio.get_running_loop().create_future()
        self._look_whether_quiet()
        await first_of((self._quiet,), self._clock.sleep(seconds), self._spawn)

    def _look_whether_quiet(self) -> None:
        if self._quiet is not None and len(self._idle) == len(self._members) and not (self._jobs or self._quiet.done()):
            self._quiet.set_result(None)

    async def stop(self) -> None:
        """Send everybody home, also those who are in the middle of something."""
        self._limits.stop()
        members, self._members = self._members, []
        for member in members:
            member.cancel()
        await asyncio.gather(*members, return_exceptions=True)
        self._idle.clear()
