"""The outbox: what an event adds to a business transaction."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, at_most
from benchmarks.rounds import Run, process

IN_FLIGHT, COUNT, CHUNKS = 50, 500, 16


def run(run: Run) -> Sequence[Row]:
    """Fifty commands in flight on SQLite, by SQLAlchemy: one reads, inserts and updates a row; another inserts one."""
    seen = run.interleave({"ramet": process("outbox", count=COUNT, chunks=run.count(CHUNKS), in_flight=IN_FLIGHT)})
    told = {"own": ("ramet", "place_and_tell"), "peer": ("ramet", "place"), "called": "without event"}
    wrote = {"own": ("ramet", "write_and_tell"), "peer": ("ramet", "write"), "called": "without event"}
    return [
        seen.row("outbox_cost_percent", "%", own=("ramet", "cost"), target=at_most(20)),
        seen.row("outbox_cost_of_one_row_percent", "%", own=("ramet", "cost_of_one_row")),
        seen.row("business_transactions_with_event", "tx/s", **told),
        seen.row("one_row_with_event", "tx/s", **wrote),
    ]
