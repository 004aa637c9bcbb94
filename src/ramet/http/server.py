"""The HTTP server: uvicorn inside the running loop, with our own way of starting and stopping."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator

import uvicorn

from ramet.http.application import HttpApplication
from ramet.http.connection import Connection
from ramet.tasks import Spawn
from ramet.transport.listening import listen, stop_accepting


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever runs the process, and nobody unanswered that it has let in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            await stop_accepting(server)
        await super().shutdown(sockets)


class HttpServer:
    """Listens on one address, on the loopback interface unless told otherwise; or on a `listener` made before."""

    def __init__(
        self,
        app: HttpApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        listener: socket.socket | None = None,
        spawn: Spawn,
    ) -> None:
        self._app = app
        self._listener = listener
        self._host = host
        self._port = port
        self._spawn = spawn
        self._server: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it can be reached; the port is the one in use when it was asked for as 0."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Start what is mounted, listen, and return when requests are answered.

        Raises: ConfigurationError when the address cannot be had.
        """
        listener = self._listener or listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        try:
            await self._app.startup()
        except BaseException:
            listener.close()
            raise
        config = uvicorn.Config(
            self._app,
            http=Connection,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        self._server = _Uvicorn(config)
        self._task = self._spawn(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - it has no other way to say so
            await asyncio.sleep(0)
        if self._task.done():
            await self._task  # it has failed: this raises why

    async def stop(self, *, grace_seconds: float = 10.0) -> bool:
        """Stop accepting, end the streams, finish what is in flight, close the connections, stop what is mounted.

        False when something was still in flight after the grace; that was cancelled.
        """
        in_time = True
        if self._server is not None and self._task is not None:
            self._server.config.timeout_graceful_shutdown = math.ceil(grace_seconds) + 1
            self._server.should_exit = True
            in_time = await self._app.drain(grace_seconds)
            await asyncio.wait({self._task})
        await self._app.shutdown()
        self._server = self._task = None
        return in_time
