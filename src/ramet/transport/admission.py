"""Admission: what stands before a server's answers, so that too many calls are refused at once instead of late."""

from __future__ import annotations

import asyncio
import logging

from ramet.clock import Clock
from ramet.errors import Overloaded
from ramet.telemetry.throttle import Throttle
from ramet.transport.base import Call, Peer, Serve
from ramet.transport.policy.bulkhead import Bulkhead, Gate
from ramet.transport.policy.moments import Decision, Hook, Moment, unreported

DEFAULTS = Bulkhead()
TIMED = 8
"""One of so many answers is timed, and each while others wait: a look at the clock costs as much as all the rest."""

log = logging.getLogger("ramet.transport")


class Admission(Gate[asyncio.Future[None]]):
    """Answers like what it stands before, as far as the bulkhead lets calls in: a gate whose waiting are futures.

    Raises: Overloaded, at once or after a short wait, for a call that was not executed. Who runs answers to their first
    wait by himself may ask what it stands before, unless it `is_full`, and `enter` only with those that do wait.
    """

    def __init__(self, answer: Serve, *, clock: Clock, policy: Bulkhead = DEFAULTS, hook: Hook = unreported) -> None:
        super().__init__(policy)
        self._answer = answer
        self._monotonic = clock.monotonic
        self._hook = hook
        self._count = 0
        self._throttle = Throttle()

    async def __call__(self, call: Call, peer: Peer) -> bytes:
        """The answer. Raises: Overloaded."""
        if self.is_full:
            await self._wait(call)
        else:
            self.enter()
        since = self._monotonic()
        try:
            return await self._answer(call, peer)
        finally:
            self.leave(since)

    def leave(self, since: float) -> None:
        """A call that has had its place since then (monotonic) gives it up."""
        self._count += 1
        if self._count % TIMED and not self.queue:
            self.running -= 1
        else:
            now = self._monotonic()
            self._left(now, now - since)

    async def _wait(self, call: Call) -> None:
        """Wait for a place inside, and have it."""
        now = self._monotonic()
        self._refuse(self.expired(now))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self.line_up(now, call.context.deadline, future):
            raise self._refusal(call, f"{self.running} calls are in flight, and {len(self.queue)} wait")
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._left(self._monotonic())  # the place came in the same moment
            else:
                self.forget(future)
            raise
        except Overloaded:
            most = "call that is" if self.concurrency == 1 else f"{self.concurrency} calls that are"
            raise self._refusal(call, f"it has waited for too long behind the {most} answered at a time") from None

    def _left(self, now: float, seconds: float | None = None) -> None:
        """A place is free: whoever is next has it, unless it has gone meanwhile."""
        while True:
            following, refused = self.pass_on(now, seconds)
            if refused:
                self._refuse(refused)
            if following is None or not following.done():
                break
            seconds = None
        if following is not None:
            following.set_result(None)

    def _refuse(self, refused: list[asyncio.Future[None]]) -> None:
        for future in refused:
            if not future.done():
                future.set_exception(Overloaded("refused"))

    def _refusal(self, call: Call, why: str) -> Overloaded:
        reason = f"{call.method} was refused: {why}."
        self._hook(Moment(decision=Decision.REFUSED, method=call.method, reason=reason))
        if (others := self._throttle.left_out(self._monotonic())) is not None:
            log.warning("%s So were %d since this was said last: see `concurrency` and `queue`.", reason, others + 1)
        return Overloaded(reason)
