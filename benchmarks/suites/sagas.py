"""Sagas on SQLite, every step durable before the next, beside DBOS at the same durability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.measure import Row, Target, times_peer
from benchmarks.rounds import Contender, Run, process

RAMET, DBOS, THREADS = "sagas_ramet", "sagas_dbos", "sagas_dbos_threads"
CALLED = {DBOS: "DBOS, asyncio", THREADS: "DBOS, threads"}
MEASURES: Sequence[tuple[str, str, int, Mapping[str, int], Target | None]] = (
    ("saga_bare_sqlite", "bare", 50, {RAMET: 8_000, DBOS: 150, THREADS: 150}, times_peer(60)),
    ("saga_full_sqlite", "full", 50, {RAMET: 2_000, DBOS: 150, THREADS: 150}, times_peer(30)),
    ("saga_refused_sqlite", "refused", 50, {RAMET: 1_000, DBOS: 100}, None),
    ("saga_bare_sqlite_one", "bare", 1, {RAMET: 1_000, DBOS: 60}, None),
    ("saga_full_sqlite_one", "full", 1, {RAMET: 300, DBOS: 40}, None),
)
"""Measure, kind, how many in flight, how many each contender does in a round, target."""


def run(run: Run) -> Sequence[Row]:
    """Fifty in flight, and one; the full ones write to four databases, the refused ones undo three steps.

    The target is one of our sagas on the event loop beside DBOS on the event loop; in threads it is for information.
    """
    contenders: dict[str, Contender] = {}
    for measure, kind, in_flight, counts, _ in MEASURES:
        for module, count in counts.items():
            contender = process(module, kind=kind, in_flight=in_flight, count=run.count(count))
            contenders[f"{measure}: {module}"] = contender
    seen = run.interleave(contenders)
    return [
        seen.row(
            measure,
            "sagas/s",
            own=(f"{measure}: {RAMET}", "per_second"),
            peer=(f"{measure}: {peer}", "per_second"),
            called=CALLED[peer],
            target=target if peer == DBOS else None,
        )
        for measure, _, _, counts, target in MEASURES
        for peer in counts
        if peer != RAMET
    ]
