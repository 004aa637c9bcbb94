"""The machine of a run: what it is called, how fast its disk is, and a core of its own for a process."""

from __future__ import annotations

import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.measure import Stamp


def stamp() -> Stamp:
    """Now and here."""
    return Stamp(date=datetime.now(UTC).date().isoformat(), machine=describe())


def describe() -> str:
    """Processor, cores, system, Python, and how busy others kept it: above the cores no absolute figure means much."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {system}, load {load:.1f} before the run"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def pin(core: int) -> None:
    """Keep this process on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})


def sync_microseconds(folder: Path, times: int = 100) -> float:
    """What a write of a page and its sync take on the disk of a folder, in the middle."""
    taken = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(times):
            os.write(file.fileno(), bytes(8192))
            started = perf_counter()
            os.fdatasync(file.fileno())
            taken.append((perf_counter() - started) * 1e6)
    return median(taken)
