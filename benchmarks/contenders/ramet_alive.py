"""An application of Ramet on real files or on PostgreSQL, as durable as it is deployed, with memory settled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from ramet import Application
from ramet.contract.reading.application import read
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.migrating import create_tables
from ramet.runtime.process import Process, settle_memory
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import engines

DEPLOYMENT = Deployment(data="data", durability="full", listen="127.0.0.1:0")


@asynccontextmanager
async def alive(
    folder: str, *services: Any, storage: str = "sqlite", broker: str = "memory", **options: Any
) -> AsyncIterator[Running]:
    """Services in one process, with SQLite files in `folder` that are synchronous=FULL, or in a PostgreSQL database."""
    running = _running(folder, *services, storage=storage, broker=broker, **options)
    await running.start()
    settle_memory()
    try:
        yield running
    finally:
        await running.stop()


@asynccontextmanager
async def serving(folder: str, *services: Any) -> AsyncIterator[str]:
    """The same as a whole process with its HTTP server; gives its address."""
    configuration = Configuration(folder=Path(folder), application=Application("bench", services=list(services)))
    process = Process(configuration, DEPLOYMENT, _running(folder, *services))
    ready = await process.start()
    try:
        yield ready.url
    finally:
        await process.stop()


def _running(folder: str, *services: Any, storage: str = "sqlite", broker: str = "memory", **options: Any) -> Running:
    declared = read(Application("bench", services=list(services)))
    deployment = msgspec.structs.replace(DEPLOYMENT, storage=storage, broker=broker)
    return Running(declared, engines(deployment, Path(folder), declared), Options(prepare=create_tables, **options))
