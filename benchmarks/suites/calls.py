"""Calls in one process: what a client costs over a direct await of the same method."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, at_most
from benchmarks.rounds import Run, process

DIRECT = ("ramet", "direct")
COUNT, CHUNKS = 1_000, 400


def run(run: Run) -> Sequence[Row]:
    """A query with two arguments through an injected client, deadline and counters on; the rest is for information."""
    seen = run.interleave({"ramet": process("calls", count=COUNT, chunks=run.count(CHUNKS))})
    return [
        seen.row(
            "colocated_call_overhead_ns",
            "ns",
            own=("ramet", "overhead"),
            peer=DIRECT,
            called="direct await",
            target=at_most(200),
        ),
        seen.row(
            "colocated_call_overhead_strict_ns", "ns", own=("ramet", "strict"), peer=DIRECT, called="direct await"
        ),
        seen.row("colocated_command_overhead_ns", "ns", own=("ramet", "command"), peer=DIRECT, called="direct await"),
    ]
