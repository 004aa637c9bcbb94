"""Work that a stop cuts short, as a start that goes on when somebody wants the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ramet.tasks import Tasks

T = TypeVar("T")


async def unless_stopped(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives; None when a stop comes first, which cancels it."""
    own = asyncio.current_task()
    assert own is not None

    async def cancel() -> None:
        await stopping.wait()
        own.cancel()

    cancelling = Tasks().spawn(cancel())
    try:
        return await work
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
        own.uncancel()
        return None
    finally:
        cancelling.cancel()
