"""Stands between a client and a server: passes their bytes on in any pieces, or swallows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random


class Proxy:
    """`pieces` says how many of the server's bytes to pass on at once, None for as many as there are.

    From the first bytes of a client that hold `swallows` on, that connection is a black hole. Connections from before
    `forget` are broken as soon as their client says something: nobody learns of it before.
    """

    def __init__(self, port: int, pieces: Callable[[], int | None] = lambda: None) -> None:
        self.port = 0
        self.swallows: bytes | None = None
        self.swallowed = asyncio.Event()
        self._server_port = port
        self._pieces = pieces
        self._tasks: set[asyncio.Task[None]] = set()
        self._forgotten: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """What a firewall does with connections that have been idle for long."""
        self._forgotten |= self._tasks

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listen on loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        hole = asyncio.Event()
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._out(reader, there_writer, hole, task))
                group.create_task(self._back(there_reader, writer, hole))
        except* OSError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            there_writer.close()

    async def _out(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hole: asyncio.Event,
        connection: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(65536):
            if connection in self._forgotten:
                raise ConnectionResetError
            if self.swallows is not None and self.swallows in data:
                hole.set()
                self.swallowed.set()
            if not hole.is_set():
                writer.write(data)
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hole: asyncio.Event) -> None:
        while data := await reader.read(65536):
            at = 0
            while at < len(data) and not hole.is_set():
                after = len(data) if (size := self._pieces()) is None else at + size
                writer.write(data[at:after])
                at = after
                await asyncio.sleep(0)
        writer.close()


def any_pieces(seed: int) -> Callable[[], int | None]:
    """Mostly a few bytes."""
    random = Random(seed)
    return lambda: random.choice((1, 2, 3, 5, 7, 30, 500, None))
