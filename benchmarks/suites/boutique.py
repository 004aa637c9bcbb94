"""Google's Online Boutique: one logic as microservices on gRPC and FastAPI, as processes of Ramet, as one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.measure import Row, Target, times_peer
from benchmarks.rounds import Run, process

SECONDS = 4.0
TASKS_A_SECOND = 100
"""About 150 requests: gRPC is at half of what two cores give it."""
SYSTEMS: Mapping[str, str] = {
    "grpc": "gRPC-Python",
    "fastapi": "FastAPI",
    "split": "Ramet, 10 processes",
    "one": "Ramet, one process",
}


class Figure(NamedTuple):
    """One of the table's columns, and by how much microservices on gRPC have to be above Ramet in it."""

    name: str
    measure: str
    unit: str
    over_split: Target | None = None
    over_one: Target | None = None


FIGURES = (
    Figure("cpu", "boutique_cpu", "ms/request", times_peer(4), times_peer(9)),
    Figure("p50", "boutique_p50", "ms", times_peer(4), times_peer(15)),
    Figure("p99", "boutique_p99", "ms"),
    Figure("full_cpu", "boutique_full_cpu", "ms/request"),
    Figure("full_p50", "boutique_full_p50", "ms"),
    Figure("full_p99", "boutique_full_p99", "ms"),
    Figure("pss", "boutique_memory", "MB"),
    Figure("rss", "boutique_memory_rss", "MB"),
    Figure("ready", "boutique_ready", "s"),
    Figure("idle", "boutique_idle", "cores"),
)


def run(run: Run) -> Sequence[Row]:
    """A pace that all keep up with, then as fast as ten users can without a pause (`full`).

    A row is the figure of microservices beside Ramet's, so that its ratio says how much Ramet saves.
    """
    seconds = SECONDS / 2 if run.quick else SECONDS
    load = {"rate": TASKS_A_SECOND, "seconds": seconds}
    seen = run.interleave({kind: process("boutique", kind=kind, **load) for kind in SYSTEMS})
    rows = []
    for figure in FIGURES:
        for kind, peer in (("grpc", "one"), ("grpc", "split"), ("fastapi", "one"), ("fastapi", "split")):
            target = {"one": figure.over_one, "split": figure.over_split}[peer] if kind == "grpc" else None
            rows.append(
                seen.row(
                    f"{figure.measure}: {SYSTEMS[kind]}",
                    figure.unit,
                    own=(kind, figure.name),
                    peer=(peer, figure.name),
                    called=SYSTEMS[peer],
                    target=target,
                )
            )
    for kind in ("one", "split"):
        for peer in ("grpc", "fastapi"):
            own = (kind, "full_rps")
            measure = f"boutique_full_rps: {SYSTEMS[kind]}"
            rows.append(seen.row(measure, "requests/s", own=own, peer=(peer, "full_rps"), called=SYSTEMS[peer]))
    late = "boutique_late: {}"  # until a user was free for a task, at worst: above a second the pace was too much
    return [*rows, *(seen.row(late.format(called), "s", own=(kind, "late")) for kind, called in SYSTEMS.items())]
