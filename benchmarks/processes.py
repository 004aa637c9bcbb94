"""A system of processes: found by their parents, measured by the clocks of the kernel (Linux)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from time import clock_gettime

KILOBYTES = re.compile(r"^(Rss|Pss):\s+(\d+) kB$", re.MULTILINE)


def family(roots: Sequence[int]) -> list[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = list(roots)
    for one in found:
        found += children.get(one, [])
    return found


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None  # it has ended


def used_seconds(processes: Sequence[int]) -> float:
    """Processor time that they have used, in user and system mode, all threads."""
    return sum(clock_gettime((~process << 3) | 2) for process in processes)


def memory_megabytes(processes: Sequence[int]) -> dict[str, float]:
    """What is resident: `rss` counts shared pages in every process, `pss` once in all."""
    sums = {"Rss": 0, "Pss": 0}
    for process in processes:
        for name, size in KILOBYTES.findall(Path(f"/proc/{process}/smaps_rollup").read_text()):
            sums[name] += int(size)
    return {name.lower(): size / 1024 for name, size in sums.items()}


def compiled(folder: Path) -> dict[str, str]:
    """An environment in which bytecode is kept in this folder, as that of an installed package is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}
