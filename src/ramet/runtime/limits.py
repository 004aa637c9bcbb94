"""Limits of single methods: a deadline for whoever calls them, a bulkhead of their own where they are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.contract.calling import calling
from ramet.contract.proxy import Target
from ramet.telemetry.context import Context, current_context
from ramet.transport.admission import Admission
from ramet.transport.base import Answer, Call, Peer
from ramet.transport.policy.bulkhead import Bulkhead


def limited(target: Target, limit_seconds: float, clock: Clock, *, elsewhere: bool) -> Target:
    """A method that may take so long, and no longer than whoever calls it may.

    What is answered `elsewhere` is only told so: it knows best what a call that was not answered in time has left.
    """

    async def within(*args: Any) -> Any:
        async with calling(timeout=limit_seconds):
            return await target(*args)

    async def told(*args: Any) -> Any:
        context, until = current_context.get(), clock.monotonic() + limit_seconds
        if context is None:
            narrowed = Context.root(clock.id(), deadline=until)
        else:
            narrowed = replace(context, deadline=min(context.deadline, until))
        token = current_context.set(narrowed)
        try:
            return await target(*args)
        finally:
            current_context.reset(token)

    return told if elsewhere else within


def gated(answer: Answer, bulkheads: Iterable[tuple[Bulkhead, tuple[str, ...]]], clock: Clock) -> Answer:
    """Answers with a bulkhead of their own for some methods; where there are none, what was given."""
    gates: dict[str, Answer] = {}
    for policy, methods in bulkheads:
        gates |= dict.fromkeys(methods, Admission(answer, clock=clock, policy=policy))

    def gate(call: Call, peer: Peer) -> Awaitable[bytes]:
        return gates.get(call.method, answer)(call, peer)

    return gate if gates else answer
