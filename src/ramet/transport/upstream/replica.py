"""One replica as its callers see it: the channel to it, kept up in the background, and how it has done so far."""

from __future__ import annotations

import asyncio
from typing import Any

from ramet.errors import Denied, RametError
from ramet.transport.base import Channel, Endpoint
from ramet.transport.policy.balance import Load
from ramet.transport.policy.breaker import Breaker
from ramet.transport.policy.moments import Decision, Moment
from ramet.transport.policy.outliers import Standing
from ramet.transport.policy.policies import Policies
from ramet.transport.upstream.surroundings import Surroundings


class Replica:
    """Dials as long as it is wanted and not connected; a lost channel is noticed when somebody wants to use it."""

    __slots__ = (
        "_dialling",
        "_policies",
        "_retired",
        "_surroundings",
        "breakers",
        "channel",
        "endpoint",
        "load",
        "standing",
        "trouble",
    )

    def __init__(self, endpoint: Endpoint, surroundings: Surroundings, policies: Policies) -> None:
        self.endpoint = endpoint
        self.channel: Channel | None = None
        self.load = Load(policies.balance.memory_seconds)
        self.standing = Standing(policies.ejection)
        self.breakers: dict[str, Breaker] = {}
        self.trouble: RametError | OSError | None = None
        self._surroundings = surroundings
        self._policies = policies
        self._dialling: asyncio.Task[Any] | None = None
        self._retired = False

    @property
    def weight(self) -> float:
        """Its share of the calls, relative to the others'."""
        return max(self.endpoint.weight, 1e-9)

    @property
    def is_usable(self) -> bool:
        """Whether calls can be sent; where not, it is dialled in the background."""
        channel = self.channel
        if channel is not None and channel.usable:
            return True
        self.connect()
        return False

    @property
    def is_denied(self) -> bool:
        """The replica is there, and does not let this process in."""
        return isinstance(self.trouble, Denied)

    def connect(self) -> None:
        """Begin to dial, unless that is going on already."""
        if not self._retired and (self._dialling is None or self._dialling.done()):
            self._dialling = self._surroundings.spawn(self._reach())

    def fits(self, method: str, now: float) -> bool:
        """Whether it can be called, and is not to be left alone; where it cannot, it is dialled in the background."""
        channel = self.channel
        if channel is None or not channel.usable:
            self.connect()
            return False
        if self.breakers and not self.breaker_allows(method, now):
            return False
        return self.standing.ejected_until <= now

    def breaker_allows(self, method: str, now: float) -> bool:
        """Whether no open breaker is in the way of a call."""
        breaker = self.breakers.get(method)
        return breaker is None or breaker.allows(now)

    def cost(self, now: float) -> float:
        """What one more call costs here, relative to other replicas."""
        channel = self.channel
        in_flight = channel.in_flight if channel is not None else 0
        return self.load.expected_seconds(now) * (in_flight + 1)

    async def retire(self) -> None:
        """Send nothing more; end when the answers that are due have come."""
        self._retired = True
        if self._dialling is not None:
            self._dialling.cancel()
        channel, self.channel = self.channel, None
        if channel is not None:
            await channel.close()

    async def _reach(self) -> None:
        """Dial until it is connected, less and less often."""
        reaching, around = self._policies.reaching, self._surroundings
        pause = reaching.backoff_seconds
        if self.channel is not None:
            self._tell(Decision.DISCONNECTED)
        while not self._retired:
            try:
                channel = await around.dial(self.endpoint)
            except (RametError, OSError) as error:
                self._failed(error)
            else:
                self._connected(channel)
                return
            await around.clock.sleep(around.clock.jitter(pause))
            pause = min(reaching.longest_seconds, pause * 2)
            if self.channel is not None and self.channel.usable:
                return  # it was silent, and is back

    def _failed(self, error: RametError | OSError) -> None:
        if self.trouble is None or str(error) != str(self.trouble):
            self._tell(Decision.NOT_REACHED, str(error))
        self.trouble = error
        self._surroundings.changed()

    def _connected(self, channel: Channel) -> None:
        """What waits for an answer on the former channel is waited for, while this one may be lost as well."""
        spawn = self._surroundings.spawn
        if self._retired:
            spawn(channel.close())
            return
        former, self.channel = self.channel, channel
        self.trouble = None
        self.standing = Standing(self._policies.ejection)
        self.breakers.clear()
        self._tell(Decision.CONNECTED)
        self._surroundings.changed()
        if former is not None:
            spawn(former.close())

    def _tell(self, decision: Decision, reason: str = "") -> None:
        endpoint = self.endpoint
        self._surroundings.hook(
            Moment(decision=decision, group=endpoint.group, address=endpoint.address, reason=reason)
        )
