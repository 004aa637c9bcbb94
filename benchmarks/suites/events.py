"""Events on SQLite and the broker in memory: outbox, relay, inbox and handler of another service."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, at_most
from benchmarks.rounds import Run, process

COUNT, PACED, RATE = 20_000, 1_000, 200


def run(run: Run) -> Sequence[Row]:
    """As many as can be published and handled, and the delay from commit to handled at two hundred a second."""
    count = max(1_000, run.count(COUNT) // 100 * 100)
    seen = run.interleave({"ramet": process("events", count=count, paced=run.count(PACED), per_second=RATE)})
    return [
        seen.row("event_handled_per_second", "events/s", own=("ramet", "row")),
        seen.row("event_handled_per_second_idle_handler", "events/s", own=("ramet", "nothing")),
        seen.row("event_commit_to_handled_p50_ms", "ms", own=("ramet", "p50")),
        seen.row("event_commit_to_handled_p99_ms", "ms", own=("ramet", "p99"), target=at_most(5)),
    ]
