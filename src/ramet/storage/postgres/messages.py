"""Pure: statements as messages of PostgreSQL's protocol, and what it answers."""

from __future__ import annotations

from struct import Struct
from typing import Any

from ramet.storage.base import Row

SYNC = b"S\0\0\0\4"
"""The end of a round trip: outside of BEGIN and COMMIT it is a commit, and what follows an error goes on after it."""

_INT, _SHORT = Struct("!I").pack, Struct("!H").pack
_NULL = b"\xff\xff\xff\xff"
_BINARY = _SHORT(1) + _SHORT(1)
_EXECUTE = b"E" + _INT(9) + b"\0" + _INT(0)


def parse(name: bytes, sql: str) -> bytes:
    """Prepare a statement under this name; PostgreSQL finds out the types of its parameters.

    >>> parse(b"s", "COMMIT")
    b'P\\x00\\x00\\x00\\x0fs\\x00COMMIT\\x00\\x00\\x00'
    """
    body = name + b"\0" + sql.encode() + b"\0\0\0"
    return b"P" + _INT(len(body) + 4) + body


def execution(name: bytes, row: Row) -> bytes:
    """Execute a prepared statement for one row of values such as Ramet's own rows have; results come in binary.

    Raises: TypeError; UnicodeError.
    """
    values: list[bytes] = []
    binary = False
    for value in row:
        kind = type(value)
        if kind is str:
            data = value.encode()
        elif value is None:
            values.append(_NULL)
            continue
        elif kind is int or kind is float:
            data = repr(value).encode()
        else:
            data = _other(value)
            binary = binary or isinstance(value, bytes)
        values += (_INT(len(data)), data)
    count = _SHORT(len(row))
    formats = count + b"".join(b"\0\1" if isinstance(one, bytes) else b"\0\0" for one in row) if binary else b"\0\0"
    body = b"".join((b"\0", name, b"\0", formats, count, *values, _BINARY))
    return b"B" + _INT(len(body) + 4) + body + _EXECUTE


def _other(value: Any) -> bytes:
    """A value of the types that are rare, or of one derived from the common ones."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float | int):
        return repr(value).encode()
    raise TypeError(f"{type(value).__name__} is no value of Ramet's own rows")


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an error, by their codes.

    >>> error_fields(b"C40001\\x00Mtry again\\x00\\x00")
    {'C': '40001', 'M': 'try again'}
    """
    return {field[:1].decode(): field[1:].decode(errors="replace") for field in body.split(b"\0") if field}
