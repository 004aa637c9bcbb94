"""One shop of Online Boutique: started, loaded at a pace that all contenders keep up with, then without a pause."""

from __future__ import annotations

from statistics import quantiles
from time import perf_counter, sleep
from typing import Any

import uvloop

from benchmarks.boutique.load import Seen, arrive
from benchmarks.boutique.systems import Shop, opened
from benchmarks.contenders import contend
from benchmarks.processes import family, memory_megabytes, used_seconds

SEED = 7
USERS = 64
EAGER_USERS = 10


async def figures(shop: Shop, rate: float, seconds: float) -> dict[str, float]:
    """Latencies in milliseconds, processor time of all processes in milliseconds a request."""
    before = await arrive(shop.url, EAGER_USERS, SEED + 1)
    await before.eager(seconds / 4)
    before.close()
    processes = family(shop.roots)
    visitors = await arrive(shop.url, USERS, SEED)
    used, began = used_seconds(processes), perf_counter()
    paced = await visitors.paced(rate, seconds)
    used, lasted = used_seconds(processes) - used, perf_counter() - began
    visitors.close()
    return {
        **_latencies("", paced),
        "cpu": used / len(paced.taken) * 1000,
        "cores": used / lasted,
        "late": paced.late,
        **await _eager(shop, seconds),
        **memory_megabytes(family(shop.roots)),
    }


async def _eager(shop: Shop, seconds: float) -> dict[str, float]:
    visitors = await arrive(shop.url, EAGER_USERS, SEED + 2)
    processes = family(shop.roots)
    used, began = used_seconds(processes), perf_counter()
    seen = await visitors.eager(seconds)
    used, lasted = used_seconds(processes) - used, perf_counter() - began
    visitors.close()
    return {
        **_latencies("full_", seen),
        "full_cpu": used / len(seen.taken) * 1000,
        "full_rps": len(seen.taken) / lasted,
    }


def _latencies(prefix: str, seen: Seen) -> dict[str, float]:
    points = quantiles(seen.taken, n=100)
    return {f"{prefix}p50": points[49] * 1000, f"{prefix}p99": points[98] * 1000}


def measure(folder: str, kind: str, **load: Any) -> dict[str, float]:
    """`kind` is one, split, grpc or fastapi; `seconds` are those of each kind of load."""
    began = perf_counter()
    with opened(kind) as shop:
        shop.wait()
        ready = perf_counter() - began
        idle = _idle(shop)
        return {"ready": ready, "idle": idle, **uvloop.run(figures(shop, **load))}


def _idle(shop: Shop, seconds: float = 1.0) -> float:
    """How much of a core they take while nobody asks for anything."""
    sleep(seconds / 2)
    processes = family(shop.roots)
    used, began = used_seconds(processes), perf_counter()
    sleep(seconds)
    return (used_seconds(processes) - used) / (perf_counter() - began)


if __name__ == "__main__":
    contend(measure)
