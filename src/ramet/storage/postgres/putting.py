"""Statements of SQLAlchemy that are sent in one piece, and whose results come together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable

from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.dialect import written
from ramet.storage.postgres.pipeline import Sent
from ramet.telemetry.scope import Apart

PROMPT, CALM = "SET LOCAL statement_timeout = 1000", "SET LOCAL statement_timeout TO DEFAULT"
"""What is sent together cannot be cancelled one by one, so it must not take long; a commit is never cut short."""

Result = CursorResult[Any]


class Putting:
    """What was put, and is not sent yet."""

    def __init__(self) -> None:
        self._put: list[tuple[Result, asyncio.Future[Result]]] = []

    def __len__(self) -> int:
        return len(self._put)

    def add(self, channel: Channel, statement: Executable, parameters: Any) -> asyncio.Future[Result] | None:
        """Put it there; None where asyncpg has to execute it."""
        if (result := channel.put_statement(statement, parameters)) is None:
            return None
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._put.append((result, future))
        return future

    def send(
        self, channel: Channel, ahead: int, broke: Callable[[Exception], None], failed: Callable[[int], object]
    ) -> None:
        """Send it, with the number of statements that were put ahead."""
        put, self._put, sent = self._put, [], channel.pipeline.send()

        def came(_: object) -> None:
            if sent.error is not None:
                broke(sent.error)
                failed(len(sent.statuses) - ahead)
            _tell(sent, ahead, put)

        sent.done.add_done_callback(came)


def _tell(sent: Sent, ahead: int, put: Sequence[tuple[Result, asyncio.Future[Result]]]) -> None:
    """All of it is executed, or no more than comes before what has failed."""
    for at, (result, future) in enumerate(put, ahead):
        if future.done():
            continue
        if sent.error is not None:
            future.set_exception(Apart())
            continue
        context: Any = result.context
        context._rowcount = written(sent.statuses[at].decode())  # noqa: SLF001 - SQLAlchemy asked too early
        future.set_result(result)
