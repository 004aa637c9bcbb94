"""The application that `ramet new` makes, for real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.cli.entry import run


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """Its folder; each test has its own."""
    assert run(["-C", str(tmp_path), "new", "hello"]) == 0
    return tmp_path / "hello"
