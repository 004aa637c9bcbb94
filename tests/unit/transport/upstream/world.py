"""Replicas that answer as they are told, virtual time, and what was reported: what an upstream is tested in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ramet.clock import VirtualClock
from ramet.errors import RametError
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call, Channel, Endpoint
from ramet.transport.policy.moments import Decision, Moment
from ramet.transport.policy.policies import Policies
from ramet.transport.upstream.upstream import Upstream

ONE, TWO, THREE = (Endpoint(address=f"unix:/{name}", group="money") for name in ("one", "two", "three"))


class FakeChannel(Channel):
    """Answers with its address, or as it is told."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.calls: list[Call] = []
        self.errors: list[Exception] = []
        self.always: Callable[[], Exception] | None = None
        self.gate: asyncio.Event | None = None
        self.usable = True
        self.waiting = 0
        self.closing: asyncio.Task[Any] | None = None

    async def call(self, call: Call) -> bytes:
        self.calls.append(call)
        self.waiting += 1
        try:
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.waiting -= 1
        if self.errors:
            raise self.errors.pop(0)
        if self.always is not None:
            raise self.always()
        return self.address.encode()

    @property
    def in_flight(self) -> int:
        return self.waiting

    async def close(self) -> None:
        self.usable = False
        self.closing = asyncio.current_task()
        if self.gate is not None and self.waiting:
            await self.gate.wait()


class World:
    """Replicas by address, virtual time, and what was reported."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.tasks = Tasks()
        self.moments: list[Moment] = []
        self.channels: dict[str, FakeChannel] = {}
        self.away: dict[str, RametError] = {}

    async def dial(self, endpoint: Endpoint) -> Channel:
        if endpoint.address in self.away:
            raise self.away[endpoint.address]
        made = self.channels[endpoint.address] = FakeChannel(endpoint.address)
        return made

    async def upstream(self, *endpoints: Endpoint, policies: Policies | None = None) -> Upstream:
        made = Upstream(
            "money",
            self.dial,
            clock=self.clock,
            spawn=self.tasks.spawn,
            policies=policies or Policies(),
            hook=self.moments.append,
        )
        made.update(endpoints)
        await self.clock.settle()
        return made

    def call(self, *, seconds: float = 5.0, key: str | None = None) -> Call:
        return Call("pay.charge", b"", Context.root("1", deadline=self.clock.monotonic() + seconds), key)

    def decisions(self) -> list[Decision]:
        return [moment.decision for moment in self.moments]
