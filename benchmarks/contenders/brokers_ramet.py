"""Events through a NATS server of its own: outbox, JetStream, inbox and handler, everything synced to the disk."""

from __future__ import annotations

from pathlib import Path

import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.events import figures
from ramet.testing.engines.nats import NatsEngine


def measure(folder: str, count: int, paced: int, per_second: int) -> dict[str, float]:
    """`count` events as fast as they go, and `paced` at a rate."""
    with NatsEngine(Path(folder) / "nats") as engine:
        return uvloop.run(figures(folder, count, paced, per_second, engine.url))


if __name__ == "__main__":
    contend(measure)
