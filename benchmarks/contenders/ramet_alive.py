"""An application of Ramet on real files, as durable as it is deployed, with memory settled as `ramet up` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ramet import Application
from ramet.contract.reading.application import read
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.migrating import create_tables
from ramet.runtime.process import Process, _settle_memory
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded

DEPLOYMENT = Deployment(data="data", durability="full", listen="127.0.0.1:0")


@asynccontextmanager
async def alive(folder: str, *services: Any, **options: Any) -> AsyncIterator[Running]:
    """Services in one process, with SQLite files in `folder` that are synchronous=FULL."""
    running = _running(folder, *services, **options)
    await running.start()
    _settle_memory()
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


def _running(folder: str, *services: Any, **options: Any) -> Running:
    declared = read(Application("bench", services=list(services)))
    return Running(declared, embedded(DEPLOYMENT, Path(folder)), Options(prepare=create_tables, **options))
