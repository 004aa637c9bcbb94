"""An upstream: one process group as its callers see it, whichever of its replicas answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ramet.clock import Clock
from ramet.errors import CallError, OutcomeUnknown, Unavailable
from ramet.tasks import Spawn
from ramet.transport.base import Call, Dial, Endpoint
from ramet.transport.policy.moments import Decision, Hook, Moment, unreported
from ramet.transport.policy.policies import Policies
from ramet.transport.upstream.attempts import Attempts
from ramet.transport.upstream.hedging import Hedges
from ramet.transport.upstream.journey import Journey
from ramet.transport.upstream.replica import Replica
from ramet.transport.upstream.surroundings import Surroundings

DEFAULTS = Policies()


class Upstream:
    """Carries calls to the replicas of one process group.

    A call that was provably not executed is tried at another replica, within its deadline and the budget of all calls.
    One whose outcome is unknown is tried again only if it is repeatable. Where no replica is there, as for a moment
    between two, it waits.
    """

    def __init__(
        self,
        group: str,
        dial: Dial,
        *,
        clock: Clock,
        spawn: Spawn,
        policies: Policies = DEFAULTS,
        hook: Hook = unreported,
    ) -> None:
        self.group = group
        self._surroundings = Surroundings(
            group=group, dial=dial, clock=clock, spawn=spawn, hook=hook, changed=self._changed
        )
        self._policies = policies
        self._monotonic = clock.monotonic
        self._replicas: dict[str, Replica] = {}
        self._attempts = Attempts(self._surroundings, policies)
        self._hedges = Hedges(self._attempts, self._surroundings.spawn) if policies.hedges else None
        self._saving = policies.retries.budget_limit

    def update(self, endpoints: Sequence[Endpoint] | None) -> None:
        """From now on these are the group's replicas: new ones are connected, those that are gone finish and end.

        None: there are none, and waiting for one would be in vain.
        """
        wanted = {endpoint.address: endpoint for endpoint in endpoints or ()}
        for address in [address for address in self._replicas if address not in wanted]:
            self._retire(self._replicas.pop(address))
        for address, endpoint in wanted.items():
            known = self._replicas.get(address)
            if known is None:
                self._replicas[address] = Replica(endpoint, self._surroundings, self._policies)
            else:
                known.endpoint = endpoint
        self._attempts.offer(self._replicas.values(), awaited=endpoints is not None)
        for replica in self._replicas.values():
            if replica.channel is None:
                replica.connect()

    async def call(self, call: Call, *, repeatable: bool) -> bytes:
        """Send a call and wait for its answer.

        Raises: Unavailable or Overloaded where it was provably not executed; Denied; DeadlineExceeded; OutcomeUnknown
        where it may have been, and is not repeatable or could not be repeated in time.
        """
        attempts = self._attempts
        if attempts.budget.saved < self._saving:
            attempts.budget.earn()
        if self._hedges is not None and repeatable and self._hedges.are_for(call):
            return await self._hedges.call(call)
        replica, started = attempts.choice.only, 0.0
        if replica is None:
            started = self._monotonic()
            replica = attempts.choice.pick(call.method, started)
        if replica is None or replica.breakers or (channel := replica.channel) is None or not channel.usable:
            return await Journey(attempts, call, repeatable=repeatable).go()
        begun = channel.begin(call)
        try:
            answer = await begun
        except asyncio.CancelledError:
            channel.forget(begun)
            raise
        except CallError as error:
            journey = self._failed(replica, call, error, repeatable=repeatable)
        else:
            if started:
                now = self._monotonic()
                replica.load.observe(now - started, now)
            if replica.standing.failures:
                replica.standing.succeeded()
            return answer
        return await journey.go()

    async def close(self) -> None:
        """Wait for the answers that are due, and disconnect."""
        replicas, self._replicas = tuple(self._replicas.values()), {}
        self._attempts.offer(())
        for replica in replicas:
            await replica.retire()

    def _failed(self, replica: Replica, call: Call, error: CallError, *, repeatable: bool) -> Journey:
        """How the call goes on. Raises: the error, where it does not."""
        self._attempts.failed(replica, call.method, error)
        if not isinstance(error, Unavailable | OutcomeUnknown):
            raise error
        journey = Journey(self._attempts, call, repeatable=repeatable)
        journey.consider(error, replica)
        return journey

    def _retire(self, replica: Replica) -> None:
        self._surroundings.hook(Moment(decision=Decision.RETIRED, group=self.group, address=replica.endpoint.address))
        self._surroundings.spawn(replica.retire())

    def _changed(self) -> None:
        self._attempts.wake()
