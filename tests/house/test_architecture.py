"""ARCHITECTURE.md tells the truth."""

from __future__ import annotations

import subprocess
import sys

from tests.house.tree import ROOT

PAGE = ROOT / "ARCHITECTURE.md"


def test_architecture_can_be_read_in_one_sitting() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 260


def test_the_listing_is_the_first_sentence_of_every_module() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "architecture.py")]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
