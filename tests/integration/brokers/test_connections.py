"""A network that hangs up, before a word was said and in the middle of one: events flow again, in order."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from ramet.clock import SystemClock
from ramet.events.base import Subscription
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import Recorder, message
from ramet.testing.conformance.broker_durable import first_of_each
from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.integration.brokers.worker import INTEREST, make_broker

PATIENCE_SECONDS = 40.0
REFUSED = 4
CUTS = 3
SENT, ANSWERED = "sent", "answered"


class Line:
    """A TCP line to a server that can be cut; then the next few that call are hung up on before a word is said."""

    def __init__(self, url: str) -> None:
        self._port = urlsplit(url).port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._to_refuse = 0
        self._refused = asyncio.Event()

    @asynccontextmanager
    async def laid(self, url: str) -> AsyncIterator[str]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield url.replace(f":{self._port}", f":{self._server.sockets[0].getsockname()[1]}", 1)
        finally:
            self._server.close()
            self._hang_up()
            await asyncio.gather(*self._calls)

    async def cut(self, *, refusing: int) -> None:
        """End what is connected, and wait until so many others were refused."""
        self._to_refuse = refusing
        self._hang_up()
        if not refusing:
            return
        self._refused.clear()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._refused.wait()

    def carries(self, way: str) -> bool:
        """Whether what has arrived is passed on; if not, its connection ends."""
        return True

    def _hang_up(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        if self._to_refuse:
            self._to_refuse -= 1
            await _end(writer)
            if not self._to_refuse:
                self._refused.set()
        else:
            there, beyond = await asyncio.open_connection("127.0.0.1", self._port)
            self._open |= {writer, beyond}
            await asyncio.gather(self._pass(reader, beyond, SENT), self._pass(there, writer, ANSWERED))
            self._open -= {writer, beyond}
        self._calls.discard(call)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        with contextlib.suppress(OSError):
            while (data := await reader.read(65_536)) and self.carries(way):
                writer.write(data)
                await writer.drain()
        await _end(writer)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@pytest.fixture(
    params=[
        pytest.param(NatsEngine, marks=pytest.mark.needs("nats"), id="nats"),
        pytest.param(RabbitEngine, marks=pytest.mark.needs("rabbitmq"), id="rabbitmq"),
        pytest.param(RedisEngine, marks=pytest.mark.needs("redis"), id="redis"),
    ]
)
def engine(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param() as running:
        yield running


async def test_replicas_whose_connections_are_cut_again_and_again_get_everything_in_order(engine: Any) -> None:
    tasks, team, line = Tasks(), Recorder(), Line(engine.url)
    application = f"test-{uuid.uuid4().hex}"
    async with line.laid(engine.url) as url:
        replicas = [make_broker(url, application, tasks) for _ in range(2)]
        for replica in replicas:
            await replica.open()
            lanes = Lanes(team.deliver, spawn=tasks.spawn, clock=SystemClock())
            await replica.subscribe(Subscription(INTEREST.consumer, INTEREST.topics, lanes))
        sent = [message(number, key=f"k{number % 10}") for number in range(100 * (CUTS + 1))]
        await replicas[0].publish(sent[:100])
        for number in range(1, CUTS + 1):
            publishing = tasks.spawn(replicas[0].publish(sent[number * 100 : (number + 1) * 100]))
            await line.cut(refusing=0 if isinstance(engine, NatsEngine) else REFUSED)  # nats-py would leak sockets
            async with asyncio.timeout(PATIENCE_SECONDS):
                await publishing
                await team.until_complete(sent[: (number + 1) * 100])
        for replica in replicas:
            await replica.close()
    await tasks.stop()
    for key in {one.key for one in sent}:
        assert first_of_each(team.of_key(key or "")) == [one.id for one in sent if one.key == key]
