"""The way operators reach a running deployment: a Unix socket in its data folder that only its owner may open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from ramet.errors import ConfigurationError, RametError, described
from ramet.runtime.operators.protocol import LONGEST_LINE, Failure, Reply, address
from ramet.runtime.operators.requests import Answer, Asked
from ramet.runtime.private import make_private

log = logging.getLogger("ramet.control")


_encode = msgspec.json.Encoder(enc_hook=str).encode


class Control:
    """Gives operators the answers of a deployment as long as it is open; `asked` are the requests it understands."""

    def __init__(self, data: Path, answer: Callable[[Any], Awaitable[Answer]], asked: Any = Asked) -> None:
        self._path = address(data)
        self._answer = answer
        self._decode = msgspec.json.Decoder(asked).decode
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen. A socket that nobody answers on any more is replaced.

        Raises: ConfigurationError when the socket cannot be made.
        """
        try:
            make_private(self._path.parent)
            self._path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError as error:
            raise ConfigurationError(
                f"The control socket {self._path} cannot be made: {error.strerror}. Choose another data folder."
            ) from error
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LONGEST_LINE)

    async def stop(self) -> None:
        """Listen no more, and hang up."""
        if self._server is None:
            return
        self._server.close()
        for writer in tuple(self._open):
            writer.close()
        self._server = None
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while line := await reader.readline():
                writer.write(_encode(await self._reply(line)) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line longer than anything we understand
            pass
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _reply(self, line: bytes) -> Reply:
        try:
            request = self._decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            message = f"The running application does not understand this: {error}. It may be of another release."
            return Reply(error=Failure(code="usage", message=message))
        try:
            answer = await self._answer(request)
        except RametError as error:
            return Reply(error=Failure(code=error.code, message=str(error)))
        except Exception as error:
            log.exception("An operator's request failed: %r", request)
            return Reply(error=Failure(code="unexpected", message=described(error)))
        return Reply(answer=msgspec.Raw(_encode(answer)))
