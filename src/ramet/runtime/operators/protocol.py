"""How operators and a running deployment speak: where the socket is, and what crosses it, a line of JSON each way.

A line asks (requests.py), a line answers: `{"answer": …}` or `{"error": {"code": …, "message": …}}`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from ramet.runtime.private import temporary

LONGEST_PATH = 100
"""Operating systems allow 104 to 108 bytes for the address of a socket."""
LONGEST_LINE = 16 * 1024 * 1024


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as it crosses the socket."""

    code: str
    message: str


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request is answered with: one of the two."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    error: Failure | None = None


def address(data: Path) -> Path:
    """Where the socket of a data folder is: in it, or where that is too deep for a socket, in the temporary folder."""
    path = data.resolve() / "control.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:20]
    return temporary() / f"{name}.sock"
