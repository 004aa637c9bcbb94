"""The writer goes on where the operating system gives it no thread."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from ramet.storage.base import Write
from ramet.storage.sqlite.checkpoint import COMMITS
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.storage import SqliteStorage


@pytest.mark.parametrize("quick_commit_seconds", [0.0, 10.0])
async def test_without_threads_everything_is_committed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_commit_seconds: float
) -> None:
    options = SqliteOptions(synchronous="OFF", quick_commit_seconds=quick_commit_seconds)
    storage = SqliteStorage("orders", tmp_path / "orders.sqlite", options)
    await storage.open(["CREATE TABLE note (n INTEGER PRIMARY KEY)"])

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        for n in range(COMMITS + 1):
            async with asyncio.timeout(5):
                await storage.write(Write("INSERT INTO note VALUES (?)", [(n,)]))
    await storage.write(Write("INSERT INTO note VALUES (-1)", [()]))
    assert (await storage.fetch("SELECT COUNT(*) FROM note"))[0][0] == COMMITS + 2
    await storage.close()
