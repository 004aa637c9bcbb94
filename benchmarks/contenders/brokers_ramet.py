"""Events through a NATS server of its own: outbox, JetStream, inbox and handler, everything synced to the disk."""

from __future__ import annotations

from pathlib import Path

import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.databases import new_database
from benchmarks.contenders.events import figures
from ramet.testing.engines.nats import NatsEngine


def measure(folder: str, count: int, paced: int, per_second: int, server: str = "") -> dict[str, float]:
    """`count` events as fast as they go, and `paced` at a rate; on the PostgreSQL at `server`, or on SQLite."""
    storage = new_database(server) if server else "sqlite"
    with NatsEngine(Path(folder) / "nats") as engine:
        return uvloop.run(figures(folder, count, paced, per_second, broker=engine.url, storage=storage))


if __name__ == "__main__":
    contend(measure)
