"""The outbox: what an event adds to a business transaction."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, at_most
from benchmarks.rounds import Run, process

IN_FLIGHT, COUNT, CHUNKS = 50, 1_000, 8
PLAIN = ("ramet", "plain")


def run(run: Run) -> Sequence[Row]:
    """Fifty commands in flight, each writing one row by SQLAlchemy on SQLite; the relay is at work beside them."""
    seen = run.interleave({"ramet": process("outbox", count=COUNT, chunks=run.count(CHUNKS), in_flight=IN_FLIGHT)})
    return [
        seen.row("outbox_cost_percent", "%", own=("ramet", "cost"), target=at_most(20)),
        seen.row(
            "transaction_with_event_per_second", "tx/s", own=("ramet", "publishing"), peer=PLAIN, called="without event"
        ),
    ]
