"""What must hold for folders of sockets, wherever they are."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest

from ramet.errors import ConfigurationError
from ramet.runtime.private import make_private, temporary


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_whoever_is_first_makes_it_for_the_owner_alone() -> None:
    make_private(temporary() / "deep" / "deeper")
    make_private(temporary())
    assert mode(temporary()) == mode(temporary() / "deep" / "deeper") == 0o700


def test_one_that_others_could_enter_is_closed() -> None:
    temporary().mkdir(mode=0o755)
    make_private(temporary())
    assert mode(temporary()) == 0o700


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    temporary().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match=r"ramet-\d+ is not ours alone: remove it, or set TMPDIR\."):
        make_private(temporary() / "deep")


def test_a_folder_of_the_user_stays_as_open_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    make_private(tmp_path / "data")
    assert mode(tmp_path / "data") == 0o755
