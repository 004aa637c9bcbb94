"""Processes that serve: started beside whoever asks them, ended with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.rounds import ROOT


@contextmanager
def serving(module: str, **asked: Any) -> Iterator[str]:
    """A process `benchmarks/contenders/<module>.py`; gives what it announces."""
    command = [sys.executable, "-m", f"benchmarks.contenders.{module}", json.dumps(asked)]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        address = started.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"{module} ended with {started.wait(5)}: see above")
        yield address
    finally:
        started.terminate()
        started.wait(20)
