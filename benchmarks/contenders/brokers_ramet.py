"""Events through a broker of its own: outbox, JetStream or Redis, inbox and handler, everything synced to the disk."""

from __future__ import annotations

from pathlib import Path

import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.databases import new_database
from benchmarks.contenders.events import figures
from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.redis import RedisEngine

ENGINES = {"nats": NatsEngine, "redis": RedisEngine}


def measure(
    folder: str, count: int, paced: int, per_second: int, server: str = "", broker: str = "nats"
) -> dict[str, float]:
    """`count` events as fast as they go, and `paced` at a rate; on the PostgreSQL at `server`, or on SQLite."""
    storage = new_database(server) if server else "sqlite"
    with ENGINES[broker](Path(folder) / broker) as engine:
        return uvloop.run(figures(folder, count, paced, per_second, broker=engine.url, storage=storage))


if __name__ == "__main__":
    contend(measure)
