"""What the client library makes of a connection that goes, as errors that can be told from an order to end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType

import aiormq
from aiormq.exceptions import AMQPError

from ramet.errors import RametError, described
from ramet.tasks import is_ending

FAILURES = (AMQPError, OSError, TimeoutError)
"""What a call of the library ends with below `library`."""
CLOSE_SECONDS = 5.0
log = logging.getLogger("ramet.events.rabbitmq")


class Lost(ConnectionError):
    """The library has given a call up, with something that is no error of its own."""


class _Library:
    """Used as `with library:` around its calls.

    It cancels the calls that wait when a channel closes, so that a cancellation is not always one of ours; it raises
    StopAsyncIteration when a server hangs up before it says a word, and RuntimeError and bare Exception elsewhere.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, (*FAILURES, RametError)):
            return
        if isinstance(error, asyncio.CancelledError) and not is_ending():
            raise Lost("the call was cancelled as its channel closed") from error
        if isinstance(error, Exception):
            raise Lost(described(error)) from error


library = _Library()


class Connection(aiormq.Connection):
    """A connection on which nobody waits for a place among the frames that are to be written.

    The library takes them from a short line, and from that of a connection that has gone nobody takes any more: who put
    one in would wait for ever. What is under way is bounded by who sends it.
    """

    FRAME_BUFFER_SIZE = 0


async def quietly(close: Callable[[], Awaitable[object]]) -> None:
    """Close what may be broken already."""
    try:
        with library:
            async with asyncio.timeout(CLOSE_SECONDS):
                await close()
    except FAILURES as error:
        log.debug("closed with %s", described(error))
