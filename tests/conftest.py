"""What every test shares: a server that is missing skips the test, or fails it where RAMET_REQUIRE asks for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.postgres import PostgresServer
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.servers import SERVERS

# A slow machine is no failure: examples have no time limit.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A shell lets what runs beside it ignore Ctrl-C, and the processes under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def required(server: str) -> bool:
    """Whether RAMET_REQUIRE ("all", or names separated by commas) wants this server to be there."""
    asked = {name.strip() for name in os.environ.get("RAMET_REQUIRE", "").split(",")}
    return "all" in asked or server in asked


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            server = SERVERS[name]
            if server.is_there():
                continue
            sentence = f"{server.name} is not there: {server.start}"
            if required(name):
                pytest.fail(f"{sentence} (RAMET_REQUIRE asks for it)", pytrace=False)
            pytest.skip(sentence)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports travel between processes as UTF-8, so what is captured must be text, whatever a test has logged."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


# Real servers, each started once in a test process, when the first asks for it.


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


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    with RedisEngine() as server:
        yield server.url
