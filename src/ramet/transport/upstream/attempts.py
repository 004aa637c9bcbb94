"""Attempts: one call to one replica, and what its end says about that replica; waiting where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from ramet.errors import DeadlineExceeded, Denied, OutcomeUnknown, Overloaded, Unavailable
from ramet.tasks import first_of
from ramet.transport.base import Call
from ramet.transport.policy.breaker import Breaker
from ramet.transport.policy.moments import Decision, Moment
from ramet.transport.policy.policies import Policies
from ramet.transport.policy.retries import Budget
from ramet.transport.upstream.choice import NOBODY, Choice
from ramet.transport.upstream.replica import Replica
from ramet.transport.upstream.surroundings import Surroundings

FAILURES = (Unavailable, OutcomeUnknown, DeadlineExceeded)
"""What speaks against a replica; but `Overloaded` speaks against the traffic."""


class Attempts:
    """What all calls of an upstream share: the replicas to choose from, the retry budget, the queue of the waiting."""

    def __init__(self, surroundings: Surroundings, policies: Policies) -> None:
        self.policies = policies
        self.clock = surroundings.clock
        self.budget = Budget(policies.retries.budget_share, policies.retries.budget_limit)
        self._surroundings = surroundings
        self._waiting: set[asyncio.Future[None]] = set()
        self._gone_since: float | None = None
        self.offer(())

    def offer(self, replicas: Iterable[Replica], *, awaited: bool = True) -> None:
        """From now on these are the replicas; `awaited` says whether others may come."""
        policies = self.policies
        self.choice = Choice(replicas, zone=policies.zone, distance=policies.balance.distance, chance=self.clock.random)
        self._gone_since = None
        self._awaited = awaited
        self.wake()

    def wake(self) -> None:
        """Something has changed: whoever waits for a replica looks again."""
        if any(one.channel is not None and one.channel.usable for one in self.choice.replicas):
            self._gone_since = None
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def pick(self, method: str, tried: Collection[Replica] = NOBODY) -> Replica | None:
        """The replica for a call; None where there is none now."""
        return self.choice.pick(method, self.clock.monotonic(), tried)

    async def attempt(self, replica: Replica, call: Call) -> bytes:
        """Send a call to a replica. Raises: as `Channel.call`."""
        channel = replica.channel
        if channel is None:
            raise Unavailable(f"{call.method} was not sent to {replica.endpoint.address}: it is not connected.")
        started, breaker = self.clock.monotonic(), replica.breakers.get(call.method)
        if breaker is not None:
            breaker.begin()
        try:
            answer = await channel.call(call)
        except BaseException as error:
            self.failed(replica, call.method, error)
            raise
        self.succeeded(replica, call.method, started)
        return answer

    def succeeded(self, replica: Replica, method: str, started: float) -> None:
        """A replica has answered."""
        now = self.clock.monotonic()
        replica.load.observe(now - started, now)
        replica.standing.succeeded()
        breaker = replica.breakers.get(method)
        if breaker is None:
            return
        if breaker.succeeded():
            self.tell(Decision.CLOSED, replica, method)
        if breaker.is_idle(now):
            del replica.breakers[method]

    def failed(self, replica: Replica, method: str, error: BaseException) -> None:
        """A call has not been answered by a replica: what does that say about it?"""
        now, breaker = self.clock.monotonic(), replica.breakers.get(method)
        if isinstance(error, Overloaded) or not isinstance(error, FAILURES):
            if breaker is not None:
                breaker.abandoned(now)
            return
        if breaker is None:
            breaker = replica.breakers[method] = Breaker(self.policies.of(method).breaking, now)
        if breaker.failed(now):
            self.tell(Decision.OPENED, replica, method, str(error))
        replicas = self.choice.replicas
        ejected = sum(one.standing.is_ejected(now) for one in replicas)
        if replica.standing.failed(now, ejected=ejected, replicas=len(replicas)):
            self.tell(Decision.EJECTED, replica, method, str(error))

    def may_repeat(self, call: Call) -> bool:
        """Whether the budget has one more attempt."""
        if self.budget.spend():
            return True
        self.tell(Decision.BUDGET_SPENT, None, call.method)
        return False

    async def wait(self, call: Call) -> None:
        """Wait until something changes. Raises: Unavailable, Overloaded or Denied where that would be in vain."""
        seconds = self._patience(call)
        if len(self._waiting) >= self.policies.reaching.waiting_limit:
            raise Overloaded(f"{call.method} was not sent: too many calls wait for {self._surroundings.group} already.")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        self.tell(Decision.WAITED, None, call.method)
        try:
            await first_of((future,), self.clock.sleep(seconds), self._surroundings.spawn)
        finally:
            self._waiting.discard(future)

    def tell(
        self, decision: Decision, replica: Replica | None, method: str, reason: str = "", *, attempt: int = 0
    ) -> None:
        """Report a decision."""
        self._surroundings.hook(
            Moment(
                decision=decision,
                group=self._surroundings.group,
                address=replica.endpoint.address if replica is not None else "",
                method=method,
                reason=reason,
                attempt=attempt,
            )
        )

    def _patience(self, call: Call) -> float:
        """Seconds for which it makes sense to wait."""
        now, replicas = self.clock.monotonic(), self.choice.replicas
        if any(one.channel is not None and one.channel.usable for one in replicas):
            raise Unavailable(
                f"{call.method} was not sent: it has failed at each replica of {self._surroundings.group} lately, "
                "and its circuit breakers are open."
            )
        if replicas and all(one.is_denied for one in replicas):
            raise Denied(str(replicas[0].trouble))
        if not self._awaited:
            group = self._surroundings.group
            raise Unavailable(
                f"{call.method} was not sent: the group {group} has no replica, and none is about to start: it was "
                "stopped or given up, as `ramet status` tells."
            )
        if self._gone_since is None:
            self._gone_since = now
        until = min(call.context.deadline, self._gone_since + self.policies.reaching.patience_seconds)
        if until <= now:
            raise self._nobody(call)
        return until - now

    def _nobody(self, call: Call) -> Unavailable:
        group, replicas = self._surroundings.group, self.choice.replicas
        if not replicas:
            return Unavailable(f"{call.method} was not sent: no replica of {group} is known.")
        reasons = "; ".join(str(one.trouble or f"{one.endpoint.address} is not connected") for one in replicas[:3])
        return Unavailable(f"{call.method} was not sent: no replica of {group} can be reached: {reasons}")
