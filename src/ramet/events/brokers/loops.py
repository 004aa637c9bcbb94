"""What an adapter does until it succeeds, and its loops that go on for ever: whatever ends one, it begins again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from ramet.clock import Clock
from ramet.tasks import is_ending

AGAIN_SECONDS = 0.5
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Insist:
    """Asks again and again, as a connection may go at any moment.

    Of `failures` all but those that are `final` may end soon.
    """

    clock: Clock
    patience_seconds: float
    failures: tuple[type[Exception], ...]
    final: Callable[[Exception], bool]
    unreachable: Callable[[Exception], Exception]

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What it gives. Raises: as `unreachable` says it, what it failed with finally, or when the time was up."""
        clock = self.clock
        deadline = clock.monotonic() + self.patience_seconds
        while True:
            try:
                return await ask()
            except self.failures as error:
                if self.final(error) or clock.monotonic() > deadline:
                    raise self.unreachable(error) from error
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
