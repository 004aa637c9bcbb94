"""The server over real sockets: streams, ranges, uploads, limits, draining, and clients that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ramet.clock import SystemClock
from ramet.contract.api import Api, get, post
from ramet.contract.struct import Struct
from ramet.contract.web.request import Request, Upload
from ramet.contract.web.responses import EventStream, File
from ramet.errors import ConfigurationError
from ramet.http.application import HttpApplication
from ramet.http.connection import Connection
from ramet.http.server import HttpServer
from ramet.http.surroundings import HttpSettings, Surroundings
from ramet.tasks import Tasks


class Line(Struct):
    sku: str
    quantity: int = 1


class Shop(Api, prefix="/api"):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.release = asyncio.Event()
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()

    @get("/lines/{sku}")
    async def line(self, sku: str) -> Line:
        return Line(sku=sku)

    @post("/lines", status=201)
    async def add(self, line: Line) -> Line:
        return line

    @get("/wait", deadline="10s")
    async def wait(self) -> str:
        self.arrived.set()
        await self.release.wait()
        return "done"

    @get("/slow", deadline="100ms")
    async def slow(self) -> None:
        await self.release.wait()

    @get("/events")
    async def events(self) -> EventStream[Line]:
        try:
            yield Line(sku="first")
            self.arrived.set()
            await self.release.wait()
            yield Line(sku="second")
            await asyncio.Event().wait()
        finally:
            self.left.set()

    @get("/file")
    async def file(self) -> File:
        return File(self.folder / "digits.txt")

    @post("/upload", max_body="3MiB")
    async def upload(self, file: Upload) -> int:
        return sum(file.read())

    @post("/count", max_body="3MiB")
    async def count(self, request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])


class Served:
    """A running server, and what a test needs of it."""

    def __init__(self, shop: Shop, server: HttpServer, tasks: Tasks) -> None:
        self.shop, self.server, self.tasks = shop, server, tasks
        self.client = httpx.AsyncClient(base_url=server.url, timeout=10)

    async def raw(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.server.url.rsplit(":", 1)[1]))
        writer.write(data)
        return reader, writer


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    (tmp_path / "digits.txt").write_text("0123456789")
    tasks, shop = Tasks(), Shop(tmp_path)
    around = Surroundings(clock=SystemClock(), spawn=tasks.spawn)
    settings = HttpSettings(deadline_seconds=0.5, keep_alive_seconds=0.05)
    app = HttpApplication([(Shop, shop)], settings=settings, around=around)
    server = HttpServer(app, port=0, spawn=tasks.spawn)
    await server.start()
    served = Served(shop, server, tasks)
    yield served
    await served.client.aclose()
    await server.stop(grace_seconds=0.2)
    await tasks.stop()


async def test_requests_over_one_connection(served: Served) -> None:
    answers = [await served.client.get(f"/api/lines/{number}") for number in range(5)]
    assert [answer.json()["sku"] for answer in answers] == ["0", "1", "2", "3", "4"]
    made = await served.client.post("/api/lines", json={"sku": "tea", "quantity": 2})
    assert (made.status_code, made.json()) == (201, {"sku": "tea", "quantity": 2})


async def test_a_client_that_streams_events(served: Served) -> None:
    async with served.client.stream("GET", "/api/events") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == 'data: {"sku":"first","quantity":1}'
        assert await anext(lines) == ""
        assert await anext(lines) == ": still here"
        served.shop.release.set()
        assert 'data: {"sku":"second","quantity":1}' in [await anext(lines) for _ in range(30)]
    async with asyncio.timeout(5):
        await served.shop.left.wait()


async def test_a_head_without_end_is_refused(served: Served) -> None:
    reader, writer = await served.raw(b"GET /api/lines/1 HTTP/1.1\r\nhost: x\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            writer.write(b"x-more: " + b"x" * 1000 + b"\r\n")
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


@pytest.mark.parametrize("before", [b"", b"GET /api/lines/1 HTTP/1.1\r\nhost: x\r\n\r\n"], ids=["first", "second"])
async def test_a_head_that_does_not_end_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.05)
    reader, writer = await served.raw(before)
    if before:
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.write(b"GET /api/lines/2 HTTP/1.1\r\nho")
    async with asyncio.timeout(10):
        await reader.read()
    writer.close()


CHUNKED = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "more"),
    [(b"0\r\nx: ", b"x" * 1000), (b"0\r\n", b"x: y\r\n" * 200), (b"1;x=", b"x" * 1000)],
    ids=["trailer", "trailers", "chunk"],
)
async def test_what_is_neither_head_nor_body_is_not_collected_without_end(
    served: Served, start: bytes, more: bytes
) -> None:
    reader, writer = await served.raw(CHUNKED % b"/api/lines" + start)
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            writer.write(more)
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_body_that_goes_on_after_the_answer_is_not_listened_to_for_ever(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "head_seconds", 0.05)
    reader, writer = await served.raw(CHUNKED % b"/nowhere")
    assert (await reader.readline()).startswith(b"HTTP/1.1 404")
    rest = asyncio.ensure_future(reader.read())
    async with asyncio.timeout(10):
        while not rest.done():
            with contextlib.suppress(ConnectionError):
                writer.write(b"1\r\n \r\n")
                await writer.drain()
            await asyncio.sleep(0)
    await asyncio.wait((rest,))
    writer.close()


async def test_ranges_of_a_file(served: Served) -> None:
    part = await served.client.get("/api/file", headers={"range": "bytes=3-5"})
    again = await served.client.get("/api/file", headers={"if-none-match": part.headers["etag"]})
    head = await served.client.head("/api/file")
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "345", "bytes 3-5/10")
    assert again.status_code == 304
    assert (head.headers["content-length"], head.content) == ("10", b"")


async def test_an_upload_goes_to_disk_and_arrives_whole(served: Served) -> None:
    answer = await served.client.post("/api/upload", files={"file": ("big.bin", b"\x01" * 2_000_000)})
    assert (answer.status_code, answer.json()) == (200, 2_000_000)


async def test_a_body_beyond_the_limit(served: Served) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    told = await served.client.post("/api/lines", content=b"x" * 1_100_000)
    grown = await served.client.post("/api/lines", content=pieces())
    streamed = await served.client.post("/api/count", content=pieces())
    assert [told.status_code, grown.status_code] == [413, 413]
    assert (streamed.status_code, streamed.json()) == (200, 2_000_000)
    assert (await served.client.get("/api/lines/x")).status_code == 200


async def test_the_deadline(served: Served) -> None:
    answer = await served.client.get("/api/slow")
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline-exceeded")
    assert (await served.client.get("/api/lines/x")).status_code == 200


async def test_a_client_that_sends_its_body_too_slowly(served: Served) -> None:
    head = b"POST /api/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    reader, writer = await served.raw(head)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer


async def test_a_client_that_leaves_in_the_middle(served: Served) -> None:
    _, writer = await served.raw(b"POST /api/lines HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    writer.close()
    await writer.wait_closed()
    _, writer = await served.raw(b"GET /api/wait HTTP/1.1\r\nhost: x\r\n\r\n")
    await served.shop.arrived.wait()
    writer.close()
    await writer.wait_closed()
    served.shop.release.set()
    assert (await served.client.get("/api/lines/x")).status_code == 200


async def test_what_is_no_http_at_all(served: Served) -> None:
    reader, writer = await served.raw(b"\x16\x03\x01 hello\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_stopping_finishes_what_is_in_flight(served: Served) -> None:
    asking = served.tasks.spawn(served.client.get("/api/wait"))
    await served.shop.arrived.wait()
    stopping = served.tasks.spawn(served.server.stop(grace_seconds=5))
    while await is_open(served.server.url):  # noqa: ASYNC110 - the condition is outside of this process's events
        await asyncio.sleep(0)
    served.shop.release.set()
    answer = await asking
    assert (answer.status_code, answer.json(), answer.headers["connection"]) == (200, "done", "close")
    assert await stopping is True


async def test_stopping_ends_streams_and_cancels_after_the_grace(served: Served) -> None:
    waiting = served.tasks.spawn(served.client.get("/api/wait"))
    await served.shop.arrived.wait()
    async with served.client.stream("GET", "/api/events") as events:
        stopping = served.tasks.spawn(served.server.stop(grace_seconds=0.1))
        received = [line async for line in events.aiter_lines()]
    assert received[0] == 'data: {"sku":"first","quantity":1}'
    assert await stopping is False
    assert (await waiting).status_code == 503


async def is_open(url: str) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.close()
        return True
    return False


def itself() -> str:
    """This process, where the operating system tells who listens."""
    name = Path("/proc/self/comm")
    return f"process {os.getpid()} ({name.read_text().strip()})" if name.exists() else "another program"


def server(host: str, port: int) -> HttpServer:
    tasks = Tasks()
    app = HttpApplication([], around=Surroundings(clock=SystemClock(), spawn=tasks.spawn))
    return HttpServer(app, host=host, port=port, spawn=tasks.spawn)


async def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port: Any = other.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            await server("127.0.0.1", port).start()
    assert str(caught.value) == (f"Port {port} of 127.0.0.1 is taken by {itself()}: stop that, or choose another port.")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
async def test_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an address of this machine"):
        await server(host, 0).start()


async def test_a_number_that_is_no_port() -> None:
    with pytest.raises(ConfigurationError, match="70000 is no port: choose one from 1024 to 65535"):
        await server("127.0.0.1", 70000).start()
