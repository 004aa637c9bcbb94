"""What growth costs: 1, 10 and 100 services, as one process and as so many, and 10,000 sagas in flight."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Row
from benchmarks.rounds import Figures, Run, process

SIZES = {"local": (1, 10, 100), "split": (1, 10, 100)}
CALLED = {"local": "one process", "split": "a process each"}
REQUESTS, WAITING, BRIEF = 1_000, 10_000, 200
FIGURES = (
    ("ready", "growth_ready", "s"),
    ("pss", "growth_memory", "MB"),
    ("query_p50", "growth_query_p50", "ms"),
    ("query_p99", "growth_query_p99", "ms"),
    ("command_p50", "growth_command_p50", "ms"),
    ("idle", "growth_idle", "ms/s"),
)
SAGAS = (
    ("started_per_second", "growth_sagas_started", "sagas/s"),
    ("ended_per_second", "growth_sagas_ended", "sagas/s"),
    ("kilobytes", "growth_saga_memory", "kB"),
    ("recovered", "growth_sagas_recovered", "s"),
)


def run(run: Run) -> Sequence[Row]:
    """The peer of each row is the same application with one service, or the same service with no sagas in flight."""
    count, waiting = run.count(REQUESTS), run.count(WAITING)

    def grown(deployment: str, services: int) -> Figures:
        figures = process("growth", deployment=deployment, services=services, count=count)()
        return {**figures, "each": figures["pss"] / services}

    sizes = {(deployment, size) for deployment, sizes in SIZES.items() for size in sizes}
    contenders = {
        _name(deployment, size): lambda deployment=deployment, size=size: grown(deployment, size)
        for deployment, size in sorted(sizes)
    }
    contenders["sagas"] = process("growth_sagas", waiting=waiting, count=run.count(BRIEF))
    seen = run.interleave(contenders)
    rows = []
    for figure, measure, unit in FIGURES:
        for deployment, known in SIZES.items():
            first = _name(deployment, 1)
            for size in known:
                name = _name(deployment, size)
                peer = (first, figure) if size > 1 else None
                rows.append(seen.row(f"{measure}: {name}", unit, own=(name, figure), peer=peer))
    rows += [
        seen.row(f"growth_memory_each: {_name(deployment, size)}", "MB/service", own=(_name(deployment, size), "each"))
        for deployment, known in SIZES.items()
        for size in known
    ]
    rows += [seen.row(f"{measure}: {waiting:,}", unit, own=("sagas", figure)) for figure, measure, unit in SAGAS]
    for point in ("p50", "p99"):
        measure = f"growth_saga_{point}: among {waiting:,}"
        own, peer = ("sagas", f"{point}_among"), ("sagas", f"{point}_alone")
        rows.append(seen.row(measure, "ms", own=own, peer=peer, called="alone"))
    return rows


def _name(deployment: str, size: int) -> str:
    return f"{size} service{'s' if size > 1 else ''}, {CALLED[deployment]}"
