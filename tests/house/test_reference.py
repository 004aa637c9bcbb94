"""The generated pages of the reference say what the program says."""

from __future__ import annotations

import subprocess
import sys

from tests.house.tree import ROOT


def test_names_and_commands_are_described_as_they_are() -> None:
    found = subprocess.run(
        [sys.executable, "tools/reference.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, f"run `.venv/bin/python tools/reference.py --write`:\n{found.stdout}{found.stderr}"
