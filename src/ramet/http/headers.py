"""Pure: headers as ASGI wants them."""

from __future__ import annotations

from collections.abc import Mapping

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


def json_headers(body: bytes) -> HeaderList:
    """The headers of a JSON body."""
    return [JSON, (b"content-length", b"%d" % len(body))]
