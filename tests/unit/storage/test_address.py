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
        ("postgresql://me@[::1]:5433/shop", Address(host="::1", port=5433, user="me", database="shop")),
        ("postgresql://%2Frun%2FPg:1/shop", Address(host="/run/Pg", port=1, database="shop")),
        (
            "postgresql://db?sslmode=verify-full&sslrootcert=/etc/our%20ca.pem",
            Address(host="db", ssl="verify-full", files=(("sslrootcert", "/etc/our ca.pem"),)),
        ),
    ],
)
def test_a_url_is_read(url: str, read: Address) -> None:
    assert address(url) == read
    assert address(read.url) == read


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db",
        "postgresql://db:x/shop",
        "postgresql://db/a/b",
        "postgresql://db?x=1",
        "postgresql://db?sslmode=on",
        "postgresql://db/shop#x",
    ],
)
def test_what_is_no_url_of_postgresql_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no URL of PostgreSQL"):
        address(url)


def test_no_message_shows_a_password() -> None:
    assert "secret" not in str(address("postgresql://me:secret@db/shop"))
    with pytest.raises(ConfigurationError) as raised:
        address("postgresql://me:secret@db/shop?what=1")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["se#cret", "12#secret", "se?cret", "12?secret", "se/cret", "12/secret", "1?secret=1"]
)
def test_a_password_whose_special_characters_are_not_encoded_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(ConfigurationError, match="%23") as raised:
        address(f"postgresql://me:{password}@db")
    assert "cret" not in str(raised.value)
    assert "12" not in str(raised.value)


@pytest.mark.parametrize("password", ["a@b", "a:b", "%25", "é ß", "'\"\\ ", "#?/&=+"])
def test_any_password_can_be_written(password: str) -> None:
    given = Address(user="me", password=password, host="db", port=1)
    assert address(given.url) == given
