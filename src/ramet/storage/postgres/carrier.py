"""What stands between a connection and its users: statements that travel together where they can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Protocol, TypeVar

from ramet.storage.base import Row
from ramet.storage.postgres.pipeline import Sent

T = TypeVar("T")


async def soon(raw: Any, seconds: float, operation: Awaitable[T]) -> T:
    """Await what asks the server something, and give the connection up where there is no answer in time.

    Raises: ConnectionError, too.
    """
    try:
        async with asyncio.timeout(seconds):
            return await operation
    except TimeoutError as error:
        raw.terminate()
        raise ConnectionError(f"no answer within {seconds:g} s") from error


class Carrier(Protocol):
    """A `Pipeline`, or `Steps` where asyncpg does not let us have one."""

    answer_seconds: float
    is_spoiled: bool
    """The last `Sent` has left a transaction behind, which only a ROLLBACK ends."""
    is_bare: bool
    """The server has forgotten the prepared statements of the connection, which is of no use afterwards."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be sent."""
        ...

    def put(self, sql: str, row: Row = ()) -> None:
        """Execute this statement ahead of the next operation, or of `send`."""
        ...

    def drop(self) -> None:
        """Send nothing of what waits."""
        ...

    def send(self, *, soon: bool = False) -> Sent:
        """Send what was put, as a round trip of its own."""
        ...

    async def ended(self) -> None:
        """Wait for what was sent."""
        ...

    async def carry(self, operation: Coroutine[Any, Any, T]) -> T:
        """Await an operation of asyncpg, after what was put ahead of it."""
        ...
