"""What an adapter does until it succeeds, and its loops that go on for ever: whatever ends one, it begins again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ramet.clock import Clock
from ramet.tasks import is_ending

AGAIN_SECONDS = 0.5
T = TypeVar("T")


async def insist(
    ask: Callable[[], Awaitable[T]],
    *,
    clock: Clock,
    patience_seconds: float,
    failures: tuple[type[Exception], ...],
    final: Callable[[Exception], bool] = lambda _: False,
) -> T:
    """What it gives; asked again and again, as a connection may go at any moment.

    Raises: what it failed with when there was no more time, or finally.
    """
    deadline = clock.monotonic() + patience_seconds
    while True:
        try:
            return await ask()
        except failures as error:
            if final(error) or clock.monotonic() > deadline:
                raise
        await clock.sleep(clock.jitter(AGAIN_SECONDS))


async def persist(
    loop: Callable[[], Awaitable[None]],
    *,
    clock: Clock,
    log: logging.Logger,
    mend: Callable[[], None] | None = None,
) -> None:
    """Run a loop until this task is cancelled.

    Client libraries end calls with whatever they have at hand when a connection goes, a cancellation that nobody asked
    for included. `mend` is called before the loop begins again: it gives back what the loop may have had in hand.
    """
    while not is_ending():
        try:
            await loop()
            return
        except asyncio.CancelledError:
            if is_ending():
                raise
            log.warning("%s was given up by what it called, and begins again", _name(loop))
        except Exception:
            log.exception("%s failed, and begins again", _name(loop))
        if mend is not None:
            mend()
        await clock.sleep(clock.jitter(AGAIN_SECONDS))


def _name(loop: Callable[[], Awaitable[None]]) -> str:
    return str(getattr(loop, "__qualname__", loop))
