"""The frame: the targets, and how a missing server is answered."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import required
from tests.house.tree import ROOT


def test_make_help_lists_every_target() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert {line.split()[1] for line in done.stdout.splitlines()} == {"help", "demo", "test", "check", "bench", "chaos"}


@pytest.mark.parametrize(("asked", "answer"), [("", False), ("all", True), ("nats, git", True), ("nats", False)])
def test_a_server_is_required_when_asked_for(asked: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAMET_REQUIRE", asked)
    assert required("git") is answer
