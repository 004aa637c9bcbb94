"""Deadlines of single methods, for whoever calls them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.contract.calling import calling
from ramet.contract.proxy import Target
from ramet.telemetry.context import Context, current_context


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
