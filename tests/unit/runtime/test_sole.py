from __future__ import annotations

import os
from pathlib import Path

import pytest

from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment
from ramet.runtime.sole import Sole

DEPLOYMENT = Deployment(name="split")


def test_whoever_comes_second_is_told_who_came_first(tmp_path: Path) -> None:
    with (
        Sole(tmp_path / "data", DEPLOYMENT),
        pytest.raises(ConfigurationError, match=f'"split" runs already, as process {os.getpid()}: stop that first'),
    ):
        Sole(tmp_path / "data", DEPLOYMENT).acquire()


def test_the_next_may_begin_when_the_first_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with Sole(tmp_path, DEPLOYMENT):
            pass


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"The folder .*/file/data cannot be used: Not a directory"):
        Sole(tmp_path / "file" / "data", DEPLOYMENT).acquire()
