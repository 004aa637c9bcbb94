"""What a service or API does before it answers: whoever waits long for it is told, and whoever hangs is named."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

from ramet.contract.places import innermost
from ramet.errors import DeadlineExceeded

SLOW_SECONDS = 5.0
log = logging.getLogger("ramet.services")


async def within(limit_seconds: float, name: str, startup: Callable[[], Awaitable[None]]) -> None:
    """Run somebody's `startup()`. Raises: DeadlineExceeded that says who hangs, and where; what it raises itself."""
    long = asyncio.get_running_loop().call_later(
        SLOW_SECONDS, log.warning, "%s is not ready after %g s: its startup() goes on", name, SLOW_SECONDS
    )
    limit = asyncio.timeout(limit_seconds)
    try:
        async with limit:
            await startup()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded(
            f"The startup() of {name} hangs{_place(error)}: it was given up after {limit_seconds:g} s "
            "(`startup_seconds` in ramet.toml)."
        ) from error
    finally:
        long.cancel()


def _place(error: BaseException) -> str:
    cancelled = error.__cause__ or error
    place = innermost(traceback.extract_tb(cancelled.__traceback__))
    return f" at {place}" if place else ""
