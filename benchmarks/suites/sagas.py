"""Sagas on SQLite, every step durable before the next, beside DBOS at the same durability."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row, Target, times_peer
from benchmarks.rounds import Run, process

MEASURES: Sequence[tuple[str, str, int, int, int, Target | None]] = (
    ("saga_bare_sqlite", "bare", 50, 12_000, 200, times_peer(60)),
    ("saga_full_sqlite", "full", 50, 2_400, 160, times_peer(30)),
    ("saga_refused_sqlite", "refused", 50, 1_200, 80, None),
    ("saga_bare_sqlite_one", "bare", 1, 2_000, 80, None),
    ("saga_full_sqlite_one", "full", 1, 400, 40, None),
)
"""Measure, kind, how many in flight, how many Ramet and its peer do in a round, target."""


def run(run: Run) -> Sequence[Row]:
    """Fifty in flight, and one; the full ones write to four databases, the refused ones undo three steps."""
    contenders = {}
    for measure, kind, in_flight, ours, theirs, _ in MEASURES:
        contenders[f"ramet {measure}"] = process("sagas_ramet", kind=kind, in_flight=in_flight, count=run.count(ours))
        contenders[f"dbos {measure}"] = process("sagas_dbos", kind=kind, in_flight=in_flight, count=run.count(theirs))
    seen = run.interleave(contenders)
    return [
        seen.row(
            measure,
            "sagas/s",
            own=(f"ramet {measure}", "per_second"),
            peer=(f"dbos {measure}", "per_second"),
            called="DBOS",
            target=target,
        )
        for measure, *_, target in MEASURES
    ]
