"""Pure: headers as ASGI wants them."""

from __future__ import annotations

from collections.abc import Mapping

from ramet.errors import InvalidArguments

HeaderList = list[tuple[bytes, bytes]]
JSON = (b"content-type", b"application/json")


def header_list(headers: Mapping[str, str]) -> HeaderList:
    """Encoded, names in small letters. Raises: ValueError for a line break, which would forge another header."""
    return [header(name, value) for name, value in headers.items()]


def header(name: str, value: str) -> tuple[bytes, bytes]:
    """One header. Raises: ValueError for a line break in it."""
    if any(mark in name or mark in value for mark in "\r\n\0"):
        raise ValueError(f"The header {name!r} has a line break in it")
    return name.lower().encode("latin-1"), value.encode("latin-1")


def read_key(value: bytes) -> str:
    """What an Idempotency-Key says. Raises: InvalidArguments where it is empty, and so the same for all calls."""
    key = value.decode("latin-1").strip()
    if not key:
        raise InvalidArguments("The header Idempotency-Key is empty: give each call one of its own, or leave it out.")
    return key


def json_headers(body: bytes) -> HeaderList:
    """The headers of a JSON body."""
    return [JSON, (b"content-length", b"%d" % len(body))]
