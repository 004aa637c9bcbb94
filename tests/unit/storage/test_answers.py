"""Answers where several processes share the database: whatever becomes of the loser's work, it answers alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ramet.errors import Refusal, StorageError
from ramet.storage.answers import AnswerCodec, Answers
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA
from ramet.telemetry.scope import Scope, Work


class Taken(Refusal):
    """It is taken."""


CODEC = AnswerCodec[str](str.encode, bytes.decode, lambda _: b"", lambda _: Taken())


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    made = SqliteStorage("orders", tmp_path / "orders.sqlite", TEMPORARY)
    await made.open(SCHEMA)
    yield made
    await made.close()


async def race(storage: SqliteStorage, error: Exception) -> str:
    """The work of one key, which fails because another process has committed it meanwhile."""
    here, there = (Answers(storage, "take", lambda: 1.0) for _ in range(2))

    async def win() -> str:
        return "won"

    async def lose() -> str:
        await there.once(Scope("orders", Work.COMMAND, "take", "k"), "k", win, CODEC)
        raise error

    return await here.once(Scope("orders", Work.COMMAND, "take", "k"), "k", lose, CODEC)


@pytest.mark.parametrize("error", [Taken(), LookupError("a row that the winner has inserted"), StorageError("Lost.")])
async def test_work_that_fails_because_another_process_has_done_it_is_answered(
    storage: SqliteStorage, error: Exception
) -> None:
    storage.shared = True
    assert await race(storage, error) == "won"


async def test_work_that_fails_alone_fails(storage: SqliteStorage) -> None:
    storage.shared = True

    async def fail() -> str:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await Answers(storage, "take", lambda: 1.0).once(Scope("orders", Work.COMMAND, "take"), "k", fail, CODEC)
