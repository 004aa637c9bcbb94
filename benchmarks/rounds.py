"""Rounds: everybody is measured once before anybody is measured again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, Series, Stamp, Target, compare

ROOT = Path(__file__).parent.parent
LIMIT_SECONDS = 300
Figures = Mapping[str, float]
Contender = Callable[[], Figures]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How a run is made; `say` is told how far it is."""

    rounds: int
    quick: bool
    stamp: Stamp
    say: Callable[[str], None]

    def count(self, full: int) -> int:
        """How much work to do: an eighth of it in a quick run."""
        return max(1, full // 8) if self.quick else full

    def interleave(self, contenders: Mapping[str, Contender]) -> Samples:
        """Measure each contender once in each round, in turns."""
        samples = Samples(self.stamp)
        for number in range(1, self.rounds + 1):
            for name, contender in contenders.items():
                self.say(f"round {number} of {self.rounds}: {name}")
                samples.add(name, contender())
        return samples


class Samples:
    """The figures of a run, by contender and measure."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, contender: str, figures: Figures) -> None:
        """Figures of one contender in one round."""
        for measure, value in figures.items():
            self._figures[contender][measure].append(value)

    def of(self, contender: str, measure: str) -> list[float]:
        """One figure for each round."""
        return self._figures[contender][measure]

    def row(
        self,
        measure: str,
        unit: str,
        *,
        own: tuple[str, str],
        peer: tuple[str, str] | None = None,
        target: Target | None = None,
        called: str | None = None,
    ) -> Row:
        """A row; `own` and `peer` are (contender, figure), and the peer is `called` something else where that helps."""
        series = Series(name=called or peer[0], values=self.of(*peer)) if peer else None
        return compare(measure, unit, self.of(*own), series, target=target, stamp=self._stamp)


def process(contender: str, **arguments: Any) -> Contender:
    """A contender that runs in a process and a folder of its own: `benchmarks/contenders/<contender>.py`."""

    def run() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch()) as folder:
            command = [sys.executable, "-m", f"benchmarks.contenders.{contender}"]
            done = subprocess.run(
                [*command, json.dumps({"folder": folder, **arguments})],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{contender} failed:\n{done.stderr[-4000:]}")
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures

    return run


def scratch() -> Path:
    """A folder on the disk of the checkout: /tmp may be memory, where durability costs nothing."""
    folder = ROOT / ".bench"
    folder.mkdir(exist_ok=True)
    return folder
