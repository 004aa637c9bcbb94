"""Addresses as text."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.transport.address import TcpAddress, UnixAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/shop/orders.sock", UnixAddress("/run/shop/orders.sock")),
        ("unix:orders.sock", UnixAddress("orders.sock")),
        ("tcp://127.0.0.1:0", TcpAddress("127.0.0.1", 0, is_secure=False)),
        ("tls://shop.example:4001", TcpAddress("shop.example", 4001, is_secure=True)),
        ("tcp://[::1]:4001", TcpAddress("::1", 4001, is_secure=False)),
    ],
)
def test_an_address_is_read(text: str, address: UnixAddress | TcpAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["tcp://[::1]:4001", "tls://shop.example:4001"])
def test_an_address_of_a_host_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "unix:", "shop:4001", "tcp://shop", "tcp://:4001", "tcp://shop:port", "tcp://shop:4001/path", "x://a:1"],
)
def test_what_is_no_address_is_a_mistake_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address"):
        parse_address(text)


def test_a_path_that_no_socket_can_have_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="choose a folder nearer to the root"):
        parse_address("unix:/" + "x" * 107)


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("10.0.0.1", False)]
)
def test_loopback_is_known(host: str, local: bool) -> None:
    assert TcpAddress(host, 1, is_secure=False).is_loopback is local
