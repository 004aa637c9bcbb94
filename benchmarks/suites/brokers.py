"""Events through NATS JetStream that syncs each of them: outbox, stream, inbox and handler, against FastStream."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, at_most
from benchmarks.rounds import Run, process

COUNT, PACED, RATE = 20_000, 1_000, 200


def run(run: Run) -> Sequence[Row]:
    """As many as can be published and handled, and the delay from commit to handled at two hundred a second.

    FastStream publishes to the stream without an outbox, and handles without an inbox; Ramet has both.
    """
    asked = {"count": max(1_000, run.count(COUNT) // 100 * 100), "paced": run.count(PACED), "per_second": RATE}
    seen = run.interleave(
        {"ramet": process("brokers_ramet", **asked), "FastStream": process("brokers_faststream", **asked)}
    )
    peer = ("FastStream", "nothing")
    return [
        seen.row("jetstream_handled_per_second", "events/s", own=("ramet", "row")),
        seen.row("jetstream_handled_per_second_idle_handler", "events/s", own=("ramet", "nothing"), peer=peer),
        seen.row(
            "jetstream_commit_to_handled_p50_ms",
            "ms",
            own=("ramet", "p50"),
            peer=("FastStream", "p50"),
            target=at_most(5),
        ),
        seen.row("jetstream_commit_to_handled_p99_ms", "ms", own=("ramet", "p99"), peer=("FastStream", "p99")),
    ]
