"""Where the examples are, and the real servers, each started once for everybody who needs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.postgres import PostgresServer
from ramet.testing.engines.rabbitmq import RabbitEngine

SHOP = Path(__file__).parents[2] / "examples" / "shop"
sys.path.insert(0, str(SHOP))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with PostgresServer() as server:
        yield server.url


@pytest.fixture(scope="session")
def nats() -> Iterator[str]:
    with NatsEngine() as server:
        yield server.url


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[str]:
    with RabbitEngine() as server:
        yield f"{server.url}?partitions=2"
