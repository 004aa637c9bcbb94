"""Ctrl-C at any moment of a command is one line and its exit code, not a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = """
import builtins, importlib.abc, os, signal, sys


class Interrupting(importlib.abc.MetaPathFinder):
    '''Presses Ctrl-C when a module is about to be imported.'''

    def find_spec(self, name, path, target=None):
        if name == os.environ["INTERRUPTED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Interrupting())
"""


def interrupted(tmp_path: Path, at: str, *command: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "sitecustomize.py").write_text(SLOW, encoding="utf-8")
    environment = {"PYTHONPATH": str(tmp_path), "INTERRUPTED_AT": at, "PATH": str(Path(sys.executable).parent)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


@pytest.mark.parametrize("command", [("ramet",), (sys.executable, "-m", "ramet")], ids=["ramet", "python -m ramet"])
@pytest.mark.parametrize("at", ["ramet.clock", "ramet.cli.command", "click", "importlib.metadata"])
def test_at_any_moment_it_is_one_line(tmp_path: Path, command: tuple[str, ...], at: str) -> None:
    done = interrupted(tmp_path, at, *command, "--version")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "Interrupted.")


def test_a_program_that_imports_ramet_keeps_its_own_ways(tmp_path: Path) -> None:
    done = interrupted(tmp_path, "ramet.clock", sys.executable, "-c", "import ramet")
    assert done.returncode == -signal.SIGINT
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
