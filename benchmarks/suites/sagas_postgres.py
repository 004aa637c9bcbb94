"""Sagas on PostgreSQL beside DBOS on the same server, every step durable before the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.machine import sync_microseconds
from benchmarks.measure import Row, Target, times_peer
from benchmarks.rounds import Contender, Run, process, scratch
from ramet.testing.engines.postgres import PostgresServer

RAMET, DBOS = "sagas_ramet_postgres", "sagas_dbos_postgres"


class Measure(NamedTuple):
    """One kind of saga, how many are in flight, and how many each contender does in a round."""

    name: str
    kind: str
    in_flight: int
    ramet: int
    dbos: int
    target: Target | None = None


MEASURES = (
    Measure("saga_bare_postgres", "bare", 50, 4_000, 200, times_peer(60)),
    Measure("saga_full_postgres", "full", 50, 2_000, 150, times_peer(20)),
    Measure("saga_refused_postgres", "refused", 50, 1_000, 100),
    Measure("saga_bare_postgres_one", "bare", 1, 400, 60),
    Measure("saga_full_postgres_one", "full", 1, 200, 40),
)


def run(run: Run) -> Sequence[Row]:
    """Fifty in flight, and one. In full and refused ones each step is a command of another service in its own process.

    Ramet's participants are asked over its transport, and record their answers; those of DBOS over HTTP (FastAPI and
    aiohttp), both by Unix sockets. What a sync of the disk takes is beside them, for it decides over all of this.
    """
    with PostgresServer() as server:
        contenders: dict[str, Contender] = {"disk": lambda: {"sync": sync_microseconds(scratch())}}
        for one in MEASURES:
            for module, count in ((RAMET, one.ramet), (DBOS, one.dbos)):
                asked = {"kind": one.kind, "in_flight": one.in_flight, "count": max(one.in_flight, run.count(count))}
                contenders[f"{one.name}: {module}"] = process(module, server=server.url, **asked)
        seen = run.interleave(contenders)
    rows = [
        seen.row(
            one.name,
            "sagas/s",
            own=(f"{one.name}: {RAMET}", "per_second"),
            peer=(f"{one.name}: {DBOS}", "per_second"),
            called="DBOS, asyncio",
            target=one.target,
        )
        for one in MEASURES
    ]
    return [*rows, seen.row("disk_sync", "µs", own=("disk", "sync"))]
