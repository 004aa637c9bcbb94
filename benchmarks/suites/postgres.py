"""PostgreSQL: what a unit of work costs beside SQLAlchemy and bare asyncpg, and what writing rows together brings."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, Target, times_peer
from benchmarks.rounds import Run, process

IN_FLIGHT, COUNT, CHUNKS = 50, 500, 8


def run(run: Run) -> Sequence[Row]:
    """One row in one durable transaction, one at a time and fifty in flight on at most eight connections."""
    seen = run.interleave({"all": process("postgres", count=COUNT, chunks=run.count(CHUNKS), in_flight=IN_FLIGHT)})

    def row(measure: str, unit: str, own: str, peer: str, called: str, target: Target | None = None) -> Row:
        return seen.row(measure, unit, own=("all", own), peer=("all", peer), called=called, target=target)

    return [
        row("postgres_unit", "µs", "unit_us", "sqlalchemy_us", "SQLAlchemy + asyncpg"),
        row("postgres_unit_and_answer", "µs", "recorded_us", "raw_us", "asyncpg, without answer"),
        row("postgres_rows_alone", "µs", "rows_us", "raw_us", "asyncpg"),
        row("postgres_units", "tx/s", "unit_rate", "sqlalchemy_rate", "SQLAlchemy + asyncpg"),
        row("postgres_units_serializable", "tx/s", "unit_rate", "repeatable_read_rate", "repeatable read"),
        row("postgres_units_with_answer", "tx/s", "recorded_rate", "raw_rate", "asyncpg, without answer"),
        row("postgres_rows", "rows/s", "rows_rate", "raw_rate", "asyncpg", times_peer(2)),
    ]
