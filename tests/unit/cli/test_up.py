"""What `ramet up` decides before anything runs; the running itself is tested in tests/integration/cli."""

from __future__ import annotations

import pytest

from ramet.cli.up import check_address
from ramet.errors import ConfigurationError


@pytest.mark.parametrize("address", ["127.0.0.1:9000", ":0", "localhost:8000", "[::1]:8000", "0.0.0.0:65535"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    "address", ["", "9000", "localhost", "localhost:", "a b:1", "::1:8000", ":65536", ":-1", "http://a:1"]
)
def test_whatever_else_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="An address is written as"):
        check_address(address)
