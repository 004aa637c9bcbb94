"""Events through NATS JetStream that syncs each of them, handled on PostgreSQL: against FastStream and Celery."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, at_most
from benchmarks.rounds import Run, Samples, process
from ramet.testing.engines.postgres import PostgresServer

COUNT, PACED, RATE = 8_000, 600, 100
BARE = "FastStream, no outbox, no inbox, no row"
ROW = "FastStream, a row, no outbox, no inbox"
OUTBOX = "FastStream, outbox and inbox by hand"
CELERY = "Celery on Redis, a row, no outbox, no inbox"


def run(run: Run) -> Sequence[Row]:
    """As many as can be published and handled, and the delay from commit to handled at a hundred a second.

    Ramet has an outbox, an inbox and a row of the handler, on PostgreSQL; each peer says in its name what it has. All
    brokers sync what they store before they confirm it. Peers handle several at a time in any order, Ramet in order.
    """
    asked = {"paced": run.count(PACED), "per_second": RATE}
    many = {"count": max(1_000, run.count(COUNT) // 100 * 100), **asked}
    few = {"count": max(500, run.count(COUNT) // 400 * 100), **asked}
    with PostgresServer() as server:
        at = {"server": server.url}
        seen = run.interleave(
            {
                "ramet": process("brokers_ramet", **many, **at),
                "ramet on SQLite": process("brokers_ramet", **many),
                BARE: process("brokers_faststream", keeps="nothing", **many, **at),
                ROW: process("brokers_faststream", keeps="row", **few, **at),
                OUTBOX: process("brokers_faststream", keeps="outbox", **few, **at),
                CELERY: process("brokers_celery", **few, **at),
            }
        )

    return rows(seen)


def rows(seen: Samples) -> Sequence[Row]:
    """Rates against each peer, and the delays beside the peer that has an outbox and an inbox, too."""

    def rate(measure: str, own: str, kind: str, peer: str) -> Row:
        return seen.row(measure, "events/s", own=(own, kind), peer=(peer, "handled"))

    delays = [
        seen.row(
            f"jetstream_commit_to_handled_{name}_ms",
            "ms",
            own=("ramet", name),
            peer=(OUTBOX, name),
            target=at_most(5) if name == "p50" else None,
        )
        for name in ("p50", "p99")
    ]
    return [
        rate("jetstream_handled_per_second", "ramet", "row", OUTBOX),
        rate("jetstream_handled_against_no_guarantees", "ramet", "row", BARE),
        rate("jetstream_handled_against_row", "ramet", "row", ROW),
        rate("jetstream_handled_against_celery", "ramet", "row", CELERY),
        rate("jetstream_handled_per_second_idle_handler", "ramet", "nothing", BARE),
        rate("jetstream_handled_per_second_sqlite", "ramet on SQLite", "row", BARE),
        *delays,
    ]
