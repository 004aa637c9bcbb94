"""PostgreSQL passes the suites, for one process and for several."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from ramet.storage.base import Storage
from ramet.storage.postgres import steps
from ramet.storage.postgres.storage import PostgresStorage
from ramet.testing.conformance.storage import StorageSuite
from ramet.testing.conformance.storage_shared import SharedSuite
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")
numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


class TestPostgres(StorageSuite):
    @pytest.fixture(autouse=True)
    def connected(self, server: PostgresServer) -> None:
        self.url = f"{server.url}/postgres"

    def make(self) -> Storage:
        return PostgresStorage(f"suite_{next(numbers)}", self.url)


class TestShared(SharedSuite):
    @pytest.fixture(autouse=True)
    def connected(self, server: PostgresServer) -> None:
        self.url = f"{server.url}/postgres"

    def make_pair(self) -> tuple[Storage, Storage]:
        name = f"shared_{next(numbers)}"
        return PostgresStorage(name, self.url), PostgresStorage(name, self.url)


class Unfit:
    """Stands for a pipeline with an asyncpg that has other private parts."""

    def __init__(self, *_: object) -> None:
        raise AttributeError("'Connection' object has no attribute '_protocol'")


class TestWithoutPipeline(StorageSuite):
    @pytest.fixture(autouse=True)
    def connected(self, server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(steps, "Pipeline", Unfit)
        self.url = f"{server.url}/postgres"

    def make(self) -> Storage:
        return PostgresStorage(f"steps_{next(numbers)}", self.url)


class TestSharedWithoutPipeline(SharedSuite):
    @pytest.fixture(autouse=True)
    def connected(self, server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(steps, "Pipeline", Unfit)
        self.url = f"{server.url}/postgres"

    def make_pair(self) -> tuple[Storage, Storage]:
        name = f"shared_steps_{next(numbers)}"
        return PostgresStorage(name, self.url), PostgresStorage(name, self.url)


async def test_an_asyncpg_of_another_shape_is_said_to_be_slower(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(steps, "Pipeline", Unfit)
    storage = PostgresStorage(f"steps_{next(numbers)}", f"{server.url}/postgres")
    await storage.open(())
    await storage.close()
    (said,) = caplog.messages
    assert "does not let statements travel together" in said
