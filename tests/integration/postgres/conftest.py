"""A PostgreSQL of each file's own, which its tests may restart, freeze and break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ramet.testing.engines.postgres import PostgresServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server
