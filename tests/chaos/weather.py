"""A network with bad weather: a TCP proxy on loopback that delays what passes, or lets nothing pass for a while."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from tests.chaos.shop_process import pause

CHUNK = 65_536


class Weather:
    """Stands before a server; `delay_seconds` each chunk waits, `cut` ends every connection and takes no new one."""

    def __init__(self, port: int, chance: Random, host: str = "127.0.0.1") -> None:
        self._target = port
        self._host = host
        self._chance = chance
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._clear = asyncio.Event()
        self._clear.set()
        self.delay_seconds = 0.0
        self.port = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        self._hang_up()

    async def cut(self, seconds: float) -> None:
        """Nothing passes for that long, and what was connected is not any more."""
        self._clear.clear()
        self._hang_up()
        await pause(seconds)
        self._clear.set()

    def _hang_up(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if not self._clear.is_set():
                return
            there, beyond = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(beyond)
            try:
                await asyncio.gather(self._pass(reader, beyond), self._pass(there, writer))
            finally:
                self._writers.discard(beyond)
                beyond.close()
        except (OSError, asyncio.CancelledError):  # the end of a connection, or of the weather
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay_seconds:
                    await pause(self._chance.uniform(0.0, 2 * self.delay_seconds))
                writer.write(data)
                await writer.drain()
        writer.close()
