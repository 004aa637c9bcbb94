"""What every test shares: a server that is missing skips the test, or fails it where RAMET_REQUIRE asks for it."""

from __future__ import annotations

import os

import pytest

from tests.servers import SERVERS


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
