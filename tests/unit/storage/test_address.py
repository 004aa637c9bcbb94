"""A URL of PostgreSQL is read, written back, and shown without its password."""

from __future__ import annotations

import pytest

from ramet.errors import ConfigurationError
from ramet.storage.address import Address, address


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgresql://localhost", Address()),
        ("postgres://db:5433/shop", Address(host="db", port=5433, database="shop")),
        ("postgresql://a%40b:p%2Fw@db/shop", Address(host="db", user="a@b", password="p/w", database="shop")),
        ("postgresql://me@/shop?host=/run/pg&port=1", Address(host="/run/pg", port=1, user="me", database="shop")),
        ("postgresql://db?sslmode=require", Address(host="db", ssl="require")),
    ],
)
def test_a_url_is_read(url: str, read: Address) -> None:
    assert address(url) == read
    assert address(read.url) == read


@pytest.mark.parametrize("url", ["mysql://db", "postgresql://db:x/shop", "postgresql://db/a/b", "postgresql://db?x=1"])
def test_what_is_no_url_of_postgresql_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no URL of PostgreSQL"):
        address(url)


def test_no_message_shows_a_password() -> None:
    assert "secret" not in str(address("postgresql://me:secret@db/shop"))
    with pytest.raises(ConfigurationError) as raised:
        address("postgresql://me:secret@db/shop?what=1")
    assert "secret" not in str(raised.value)
