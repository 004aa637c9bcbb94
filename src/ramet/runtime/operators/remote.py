"""Asking a running deployment through its control socket, from another process."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from ramet import errors
from ramet.errors import RametError, Refusal, Unavailable
from ramet.runtime.operators.protocol import Reply, address
from ramet.runtime.operators.requests import Answer, Request

A = TypeVar("A", bound=Answer)
_decode = msgspec.json.Decoder(Reply).decode
_KINDS: dict[str, type[RametError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, RametError)
    and not issubclass(kind, Refusal)
    and kind.__init__ is RametError.__init__
}


def answer_in(line: bytes, kind: type[A]) -> A:
    """What crossed the socket as an answer. Raises: the error in its place, as what it was."""
    reply = _decode(line)
    if reply.error is not None:
        raise _KINDS.get(reply.error.code, RametError)(reply.error.message)
    return msgspec.json.decode(reply.answer, type=kind)


class Remote:
    """A deployment that runs, as its operators reach it."""

    def __init__(self, connection: socket.socket, data: Path) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")
        self._data = data

    def ask(self, request: Request, kind: type[A]) -> A:
        """The answer. Raises: what the operation raises; Unavailable when the process ends meanwhile."""
        try:
            self._connection.sendall(msgspec.json.encode(request) + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise self._gone() from error
        if not line:
            raise self._gone()
        return answer_in(line, kind)

    def has_ended(self) -> bool:
        """Whether the process has hung up, as it does when it ends, whatever of."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        try:
            return bool(readable) and not self._connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True

    def _gone(self) -> Unavailable:
        return Unavailable(f"The process that runs {self._data} ended or hangs, and has not answered: look at its log.")


@contextlib.contextmanager
def reach(data: Path) -> Iterator[Remote | None]:
    """The deployment with this data folder, or None when it does not run; a socket left behind does not matter."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(address(data)))
        except OSError:
            yield None
            return
        yield Remote(connection, data)
