"""Hedges: a query that takes longer than usual is sent to a second replica, and the first answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ramet.errors import RametError
from ramet.tasks import Spawn, first_of
from ramet.transport.base import Call
from ramet.transport.policy.hedging import Quantile
from ramet.transport.policy.moments import Decision
from ramet.transport.policy.retries import Budget
from ramet.transport.upstream.attempts import Attempts
from ramet.transport.upstream.journey import Journey
from ramet.transport.upstream.replica import Replica

Asked = asyncio.Task["bytes | RametError"]
SAVED_HEDGES = 10.0
"""Hedges that may be sent at once after a quiet time."""

SPARED_SECONDS = 0.1
"""So often one may be sent whatever the budget, which those who all wait earn nothing for (as in Finagle)."""
LONGEST_LOOK_SECONDS = 0.1
"""A query that could not be sent twice, since nobody else was there or the budget was spent, is looked at again."""


class Hedges:
    """Knows how long the queries of each method usually take, and how many more may be sent twice."""

    def __init__(self, attempts: Attempts, spawn: Spawn) -> None:
        self._attempts = attempts
        self._spawn = spawn
        self._policies = attempts.policies
        self._budget = Budget(self._policies.hedging.share, SAVED_HEDGES)
        self._spared = -SPARED_SECONDS
        self._usual: dict[str, Quantile] = {}

    def are_for(self, call: Call) -> bool:
        """Whether it is a query that may be sent twice."""
        return call.key is None and not call.withdraw and self._policies.of(call.method).hedging.enabled

    async def call(self, call: Call) -> bytes:
        """As `Upstream.call`, for a query."""
        self._budget.earn()
        clock, policy = self._attempts.clock, self._policies.of(call.method).hedging
        usual = self._usual.setdefault(call.method, Quantile(policy.quantile))
        started, replica = clock.monotonic(), self._attempts.pick(call.method)
        running = [self._ask(Journey(self._attempts, call, repeatable=True, first=replica).go())]
        patience = max(policy.shortest_seconds, usual.value)
        try:
            while replica is not None and not running[0].done() and len(running) == 1:
                await first_of(running, clock.sleep(patience), self._spawn)
                patience = min(2 * patience, max(patience, LONGEST_LOOK_SECONDS))
                if not running[0].done():
                    self._hedge(call, replica, running)
            answer = await self._earliest(running, call)
        finally:
            for task in running:
                task.cancel()
        usual.observe(clock.monotonic() - started)
        return answer

    def _ask(self, attempt: Coroutine[Any, Any, bytes]) -> Asked:
        return self._spawn(_outcome(attempt))

    def _hedge(self, call: Call, replica: Replica, running: list[Asked]) -> None:
        other = self._attempts.pick(call.method, (replica,))
        if other is not None and (self._budget.spend() or self._spare()):
            self._attempts.tell(Decision.HEDGED, other, call.method)
            running.append(self._ask(self._attempts.attempt(other, call)))

    def _spare(self) -> bool:
        """Whether one may be sent that the budget does not pay for."""
        now = self._attempts.clock.monotonic()
        if not self._policies.hedging.share or now - self._spared < SPARED_SECONDS:
            return False
        self._spared = now
        return True

    async def _earliest(self, running: list[Asked], call: Call) -> bytes:
        """The first answer; where there is none, what the first query has ended with."""
        pending = set(running)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled() and not isinstance(answer := task.result(), RametError):
                    if task is not running[0]:
                        self._attempts.tell(Decision.HEDGE_WON, None, call.method)
                    return answer
        outcome = running[0].result()
        assert isinstance(outcome, RametError)
        raise outcome


async def _outcome(attempt: Coroutine[Any, Any, bytes]) -> bytes | RametError:
    """What an attempt has come to: its caller is told an error, so that it is no failure of a background task."""
    try:
        return await attempt
    except RametError as error:
        return error
