"""A PostgreSQL of each file's own, which its tests may restart, freeze and break."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.lots import MakeService, Service, services
from tests.integration.postgres.proxy import Proxy


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def proxy(server: PostgresServer) -> AsyncIterator[Proxy]:
    async with Proxy(server.port).running() as proxy:
        yield proxy


@pytest.fixture
async def storages(server: PostgresServer) -> AsyncIterator[MakeService]:
    async with services(server) as make:
        yield make


@pytest.fixture
async def service(storages: MakeService) -> Service:
    made = await storages()
    await made.warm()
    return made
