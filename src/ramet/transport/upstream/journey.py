"""A call that is not answered at once: it waits for a replica, is tried again, and ends with what is known of it."""

from __future__ import annotations

from msgspec.structs import replace

from ramet.errors import OutcomeUnknown, RametError, Unavailable
from ramet.transport.base import Call
from ramet.transport.policy.moments import Decision
from ramet.transport.upstream.attempts import Attempts
from ramet.transport.upstream.replica import Replica


class Journey:
    """One call on its way to an answer, over as many replicas and attempts as policies and deadline allow."""

    __slots__ = ("_attempts", "_call", "_failures", "_first", "_repeatable", "_tried", "_unknown")

    def __init__(self, attempts: Attempts, call: Call, *, repeatable: bool, first: Replica | None = None) -> None:
        self._attempts = attempts
        self._first = first
        self._call = call
        self._repeatable = repeatable
        self._failures = 0
        self._tried: set[Replica] = set()
        self._unknown: OutcomeUnknown | None = None

    async def go(self) -> bytes:
        """The answer. Raises: as `Upstream.call`."""
        while True:
            replica = await self._next()
            try:
                return await self._attempts.attempt(replica, self._call)
            except (Unavailable, OutcomeUnknown) as error:
                self.consider(error, replica)

    def consider(self, error: Unavailable | OutcomeUnknown, replica: Replica) -> None:
        """After an attempt that failed. Raises what the call ends with, where it may not be tried again."""
        self._failures += 1
        self._tried.add(replica)
        self._call = replace(self._call, fresh=False)
        if isinstance(error, OutcomeUnknown):
            if not self._repeatable:
                raise error
            self._unknown = error
        if self._call.context.deadline <= self._attempts.clock.monotonic():
            raise self._final(error) from error
        retries = self._attempts.policies.of(self._call.method).retries
        if self._failures >= retries.attempts or not self._attempts.may_repeat(self._call):
            raise self._final(error) from error
        self._attempts.tell(Decision.RETRIED, replica, self._call.method, str(error), attempt=self._failures + 1)

    async def _next(self) -> Replica:
        """The replica for the next attempt, as soon as there is one."""
        attempts, method = self._attempts, self._call.method
        first, self._first = self._first, None
        if first is not None:
            return first
        while True:
            replica = attempts.pick(method, self._tried)
            if replica is not None:
                return replica
            if self._tried and attempts.pick(method) is not None:
                await self._pause()
            self._tried.clear()
            replica = attempts.pick(method)
            if replica is not None:
                return replica
            try:
                await attempts.wait(self._call)
            except Unavailable as error:
                raise self._final(error) from error

    async def _pause(self) -> None:
        """Give the replicas some time, since each of them was tried."""
        clock, retries = self._attempts.clock, self._attempts.policies.of(self._call.method).retries
        left = self._call.context.deadline - clock.monotonic()
        await clock.sleep(min(left, clock.jitter(retries.pause(self._failures))))

    def _final(self, error: RametError) -> RametError:
        """What an attempt before has left unknown stays unknown, whatever the later ones say."""
        return self._unknown if self._unknown is not None and not isinstance(error, OutcomeUnknown) else error
