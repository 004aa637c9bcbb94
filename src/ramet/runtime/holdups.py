"""Notices code of the application that holds up the loop, by which everything waits, or a start, and says where."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from ramet.contract.places import innermost
from ramet.errors import DeadlineExceeded

PATIENCE_SECONDS = 1.0
SLOW_SECONDS = 5.0
log = logging.getLogger("ramet.holdups")


class Holdups:
    """Inside the block a thread looks whether the loop turns; once for each time that it does not, it is told.

    The loop is asked now and then; what it has not answered by the next time tells, whatever clocks do.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS, tell: Callable[[str], None] = log.warning) -> None:
        self._patience = patience_seconds
        self._tell = tell
        self._answered = True
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watching.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._watching.join()

    def _answer(self) -> None:
        self._answered = True

    def _watch(self, thread: int) -> None:
        told = False
        while not self._ended.wait(self._patience):
            if self._answered:
                self._answered = told = False
                self._loop.call_soon_threadsafe(self._answer)
            elif not told and (place := _place(thread)) is not None:
                told = True
                self._tell(
                    f"Everything in this process waits for {place}, since {self._patience:g} s. "
                    "What blocks belongs in `await asyncio.to_thread(…)`."
                )


async def started_within(limit_seconds: float, name: str, startup: Callable[[], Awaitable[None]]) -> None:
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
            f"The startup() of {name} hangs{_reached(error)}: it was given up after {limit_seconds:g} s "
            "(`startup_seconds` in ramet.toml)."
        ) from error
    finally:
        long.cancel()


def _place(thread: int) -> str | None:
    """The line of the application at which a thread is; None where it is at none."""
    return innermost(traceback.extract_stack(sys._current_frames().get(thread)))  # noqa: SLF001 - the documented way


def _reached(error: BaseException) -> str:
    cancelled = error.__cause__ or error
    place = innermost(traceback.extract_tb(cancelled.__traceback__))
    return f" at {place}" if place else ""
