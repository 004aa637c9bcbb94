"""A server that ends answers everybody whom it has let in, and loses nobody whom it has not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from ramet.clock import SystemClock
from ramet.contract.api import Api, get
from ramet.http.application import HttpApplication
from ramet.http.connection import Connection
from ramet.http.server import HttpServer
from ramet.http.surroundings import Surroundings
from ramet.tasks import Tasks
from ramet.transport.listening import listen

Loop = Callable[[], asyncio.AbstractEventLoop]
REQUEST = b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n"
loops = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


class Greeter(Api):
    @get("/hello")
    async def hello(self) -> str:
        return "hello"


class Served:
    """A server whose listening socket is shared, as replicas share theirs."""

    def __init__(self, server: HttpServer, shared: socket.socket) -> None:
        self.server = server
        self.shared = shared

    async def come(self) -> socket.socket:
        """A connection, which the kernel has made and the server has perhaps not seen."""
        one = socket.create_connection(self.shared.getsockname(), timeout=10)
        one.setblocking(False)
        return one


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    tasks = Tasks()
    app = HttpApplication([(Greeter, Greeter())], around=Surroundings(clock=SystemClock(), spawn=tasks.spawn))
    listener = listen("127.0.0.1", 0)
    with listener.dup() as shared:
        shared.setblocking(False)
        server = HttpServer(app, listener=listener, spawn=tasks.spawn)
        await server.start()
        yield Served(server, shared)
        await server.stop()
        await tasks.stop()


async def answer(one: socket.socket) -> bytes:
    """What comes until the other side closes."""
    loop, received = asyncio.get_running_loop(), b""
    async with asyncio.timeout(20):
        while data := await loop.sock_recv(one, 65536):
            received += data
    return received


def left_in_the_queue(shared: socket.socket) -> int:
    count = 0
    while True:
        try:
            shared.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@loops
def test_who_comes_in_the_moment_of_the_end_is_answered_or_left_to_others(loop: Loop) -> None:
    async def scenario() -> None:
        for ticks in range(6):
            async with served() as one:
                clients = [await one.come() for _ in range(20)]
                for client in clients:
                    client.sendall(REQUEST)
                for _ in range(ticks):
                    await asyncio.sleep(0)
                assert one.server._server is not None
                await one.server._server.shutdown([one.shared.dup()])
                left = left_in_the_queue(one.shared)
                ends = await asyncio.gather(*map(answer, clients), return_exceptions=True)
                answered = [end for end in ends if isinstance(end, bytes) and end.startswith(b"HTTP/1.1 200")]
                assert len(answered) + left == len(clients)
                for client in clients:
                    client.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


@loops
def test_who_has_come_and_not_asked_yet_is_listened_to(loop: Loop) -> None:
    async def scenario() -> None:
        async with served() as one:
            early, kept = await one.come(), await one.come()
            kept.sendall(REQUEST)
            assert (await asyncio.get_running_loop().sock_recv(kept, 65536)).startswith(b"HTTP/1.1 200")
            assert one.server._server is not None
            connections = one.server._server.server_state.connections
            while len(connections) < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            for connection in connections:
                connection.shutdown()
            for client in (early, kept):
                client.sendall(REQUEST)
                assert b"connection: close" in await answer(client)
                client.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


@loops
def test_who_does_not_ask_is_not_waited_for(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "last_head_seconds", 0.01)
    monkeypatch.setattr(Connection, "last_request_seconds", 0.01)

    async def scenario() -> None:
        async with served() as one:
            silent, halfway, kept = await one.come(), await one.come(), await one.come()
            halfway.sendall(REQUEST[:10])
            kept.sendall(REQUEST)
            await asyncio.get_running_loop().sock_recv(kept, 65536)
            assert await one.server.stop()
            for client in (silent, halfway, kept):
                assert await answer(client) == b""
                client.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())
