"""`calling`: a deadline or an idempotency key for the calls in a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import msgspec

from ramet.errors import CallError, DeadlineExceeded, OutcomeUnknown
from ramet.settings import seconds
from ramet.telemetry.context import current_context
from ramet.telemetry.scope import Adrift, Committed, Scope, current_scope, told_by

_given: ContextVar[tuple[str, Scope | None] | None] = ContextVar("ramet.idempotency_key", default=None)


def given_key() -> str | None:
    """The key given by the block around this call; not by one around the work that this call is part of."""
    given = _given.get()
    return given[0] if given is not None and given[1] is current_scope.get() else None


def late(error: TimeoutError, sentence: str) -> CallError:
    """What the end of `asyncio.timeout` means for the caller."""
    return cut_off(error.__cause__, DeadlineExceeded(sentence))


def cut_off(cancelled: BaseException | None, otherwise: CallError) -> CallError:
    """What this cancellation of a call means: `otherwise`, which says that nothing was executed, is true unless a
    command was being committed just then, which has been executed, or another process had been asked for one.
    """
    if told_by(cancelled, Committed):
        return OutcomeUnknown(f"{otherwise} A command was executed, but its answer came too late.")
    if adrift := told_by(cancelled, Adrift):
        method = adrift.method
        return OutcomeUnknown(f"{otherwise} {method} may have been executed: ask, or call it again with its key.")
    return otherwise


@asynccontextmanager
async def calling(*, timeout: str | float | None = None, key: str | None = None) -> AsyncIterator[None]:  # noqa: ASYNC109 - it is one
    """Calls inside the block have `timeout` (`"2s"`, or seconds) together, and commands carry the idempotency `key`.

    >>> async def order(inventory, lines):
    ...     async with calling(timeout="2s", key="order-17"):
    ...         return await inventory.reserve("17", lines)

    A command that is repeated with its key answers what it answered the first time, for at least seven days. Different
    methods may share a key; two calls of one method inside a block may not.

    Raises: DeadlineExceeded when the time is up; OutcomeUnknown when a command was being committed just then, or
    may have been executed by another process.
    """
    token = _given.set((key, current_scope.get())) if key is not None else None
    try:
        if timeout is None:
            yield
            return
        limit = seconds(timeout)
        context = current_context.get()
        now = asyncio.get_running_loop().time()
        narrowed = None
        if context is not None:
            narrowed = current_context.set(
                msgspec.structs.replace(context, deadline=min(context.deadline, now + limit))
            )
        timer = asyncio.timeout(limit)
        try:
            async with timer:
                yield
        except TimeoutError as error:
            if not timer.expired():
                raise  # the block's own
            raise late(error, f"The calls were not answered within {limit:g} s.") from error
        finally:
            if narrowed is not None:
                current_context.reset(narrowed)
    finally:
        if token is not None:
            _given.reset(token)
