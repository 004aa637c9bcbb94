"""Pure: trace context between the outside and us (W3C Trace Context, level 1), and the id of a request."""

from __future__ import annotations

import re
from typing import NamedTuple

REQUEST_ID = re.compile(rb"[\w.:/+=@~-]{1,128}")
HEX = frozenset(b"0123456789abcdef")
NO_TRACE, NO_SPAN = b"0" * 32, b"0" * 16


class Trace(NamedTuple):
    """What a `traceparent` header says: 32 and 16 hexadecimal characters, and the flags."""

    trace: str
    span: str
    flags: str


def parse_traceparent(header: bytes) -> Trace | None:
    """None when the header is malformed: then a new trace begins, as the standard demands."""
    if len(header) < 55 or header[2] != 45 or header[35] != 45 or header[52] != 45 or header[:2] == b"ff":
        return None
    if header[:2] == b"00" and len(header) != 55:
        return None
    trace, span, flags = header[3:35], header[36:52], header[53:55]
    if trace == NO_TRACE or span == NO_SPAN or not HEX.issuperset(header[:2] + trace + span + flags):
        return None
    return Trace(trace.decode(), span.decode(), flags.decode())


def request_id(header: bytes | None, execution: str) -> bytes:
    """The id that the client gave, when it is harmless, else the execution's."""
    if header is not None and REQUEST_ID.fullmatch(header):
        return header
    return execution.encode()
