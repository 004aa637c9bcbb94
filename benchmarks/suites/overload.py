"""Overload: what is still answered in time by a service that gets more than it can do, with admission and without."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, Target, times_peer
from benchmarks.rounds import Run, process

SECONDS = 8


def run(run: Run) -> Sequence[Row]:
    """Answers within 100 ms, over a Unix socket, from a service that can do 800 a second."""
    seen = run.interleave({"all": process("overload", seconds=run.count(SECONDS))})

    def row(measure: str, own: str, peer: str, called: str, target: Target | None) -> Row:
        return seen.row(measure, "answers/s", own=("all", own), peer=("all", peer), called=called, target=target)

    return [
        row("goodput_at_1.5_times", "above", "capacity", "capacity", times_peer(0.9)),
        row("goodput_at_3_times", "three", "capacity", "capacity", times_peer(0.9)),
        row("goodput_at_3_times_admitted", "three", "unbounded", "without admission", None),
    ]
