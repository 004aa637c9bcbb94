"""A contract answered over HTTP, and called as the runtime calls external services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ramet.clock import SystemClock
from ramet.contract.application import Application
from ramet.contract.external import External
from ramet.contract.reading.application import read
from ramet.http.application import HttpApplication
from ramet.http.contracts import ContractCalls
from ramet.http.external import ExternalService
from ramet.http.server import HttpServer
from ramet.http.surroundings import Surroundings
from ramet.runtime.linking import linked
from ramet.telemetry.counters import Counters
from ramet.testing import running
from ramet.transport.base import Peer
from tests.integration.external.catalog import CatalogService


@asynccontextmanager
async def answering(verify: Callable[[bytes], Peer] | None = None) -> AsyncIterator[str]:
    """The catalog's contract over HTTP; its URL."""
    async with running(CatalogService) as app:
        process = app.running
        calls = ContractCalls(
            process.declared.contracts, process.answering, clock=process.clock, verify=verify, prefix="/contracts"
        )
        around = Surroundings(clock=process.clock, spawn=process.tasks.spawn)
        server = HttpServer(HttpApplication([], [calls], around=around), port=0, spawn=process.tasks.spawn)
        await server.start()
        try:
            yield f"{server.url}/contracts"
        finally:
            await server.stop(grace_seconds=1.0)


@asynccontextmanager
async def external(contract: type[Any], url: str, *, token: str | None = None) -> AsyncIterator[dict[str, Any]]:
    """The methods of a contract that is answered at a URL, as the runtime calls them."""
    declared = read(Application("outside", services=[External(contract, url=url)]))
    clock = SystemClock()
    give = None if token is None else lambda: token
    service = ExternalService(declared.externals[0].contract, url, clock=clock, token=give)
    methods = linked(declared.externals[0].contract, service, clock=clock, counters=Counters())
    try:
        yield {name: answerer.answer for name, answerer in methods.items()}
    finally:
        await service.close()
