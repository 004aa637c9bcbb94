"""An application of Ramet on real files, as durable as it is deployed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ramet import Application
from ramet.contract.reading import read
from ramet.model.topology import Deployment
from ramet.runtime.preparing import create_tables
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded


@asynccontextmanager
async def alive(folder: str, *services: Any, **options: Any) -> AsyncIterator[Running]:
    """Services in one process, with SQLite files in `folder` that are synchronous=FULL."""
    deployment = Deployment(data="data", durability="full")
    declared = read(Application("bench", services=list(services)))
    running = Running(declared, embedded(deployment, Path(folder)), Options(prepare=create_tables, **options))
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
