"""Where sockets are, and that none of them stays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramet.runtime.operators.protocol import address
from ramet.runtime.private import make_private, temporary
from ramet.runtime.supervisor.folders import Folders


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folders]:
    """Of a data folder that is too deep for sockets, with a temporary folder of its own, which is not."""
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        yield Folders(tmp_path / ("deep" * 30))


def made(folders: Folders) -> list[Path]:
    """The sockets of a supervisor with one replica, as if their processes had been killed."""
    internal = Path(folders.internal("edge", 0, 1).removeprefix("unix:"))
    sockets = [folders.supervisor, internal, address(folders.control("edge", 0))]
    for path in sockets:
        make_private(path.parent)
        path.touch()
    return sockets


def test_nothing_stays_in_the_temporary_folder(folders: Folders) -> None:
    folders.make()
    assert all(temporary() in path.parents for path in made(folders))
    folders.clear()
    assert list(temporary().iterdir()) == []


def test_what_was_left_behind_is_gone_at_the_next_start(folders: Folders) -> None:
    left = made(folders)
    folders.make()
    assert folders.supervisor.parent.is_dir()
    assert not any(path.exists() for path in left)


def test_without_depth_they_are_with_the_data() -> None:
    data = Path("/srv/shop")
    folders = Folders(data)
    assert data in folders.supervisor.parents
    assert data in address(folders.control("edge", 0)).parents


def test_sockets_of_earlier_releases_are_removed_and_nothing_else(tmp_path: Path) -> None:
    older = tmp_path / "replicas" / "edge-0" / "control.sock"
    other = tmp_path / "replicas" / "edge-1" / "notes.txt"
    for path in (older, other):
        path.parent.mkdir(parents=True)
        path.touch()
    Folders(tmp_path).make()
    assert not older.parent.exists()
    assert other.exists()
