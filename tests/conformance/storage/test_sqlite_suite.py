"""SQLite passes the suite, however slow its disk is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.storage.base import Storage
from ramet.storage.sqlite.storage import SqliteOptions, SqliteStorage
from ramet.testing.conformance.storage import StorageSuite


class TestInMemory(StorageSuite):
    def make(self) -> Storage:
        return SqliteStorage("suite")


class TestDurable(StorageSuite):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "data" / "suite.sqlite"

    def make(self) -> Storage:
        return SqliteStorage("suite", self.path)


class TestSlowDisk(StorageSuite):
    """Every commit is made in a thread."""

    def make(self) -> Storage:
        return SqliteStorage("suite", None, SqliteOptions(synchronous="OFF", quick_commit_seconds=0.0))
