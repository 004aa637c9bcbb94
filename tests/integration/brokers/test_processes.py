"""Replicas as processes, killed and frozen while events flow: nothing is lost, nothing is out of order."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
import uuid
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ramet.events.base import Broker, Message
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import message
from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.integration.brokers.worker import make_broker

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 40.0


class Ledger:
    """What the replicas have handled, in the order of their commits."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "handled.sqlite")
        self.changed = asyncio.Event()
        self._connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("CREATE TABLE handled (n INTEGER PRIMARY KEY, id TEXT UNIQUE, key TEXT)")

    def ids(self, key: str) -> list[str]:
        rows = self._connection.execute("SELECT id FROM handled WHERE key = ? ORDER BY n", (key,))
        return [row[0] for row in rows]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._connection.execute("SELECT count(*) FROM handled").fetchone()[0] < count:
                self.changed.clear()
                await self.changed.wait()

    def close(self) -> None:
        self._connection.close()


class Team:
    """Replicas as processes, beside a publisher in this one."""

    def __init__(self, url: str, folder: Path, tasks: Tasks) -> None:
        self._tasks = tasks
        self.application = f"test-{uuid.uuid4().hex}"
        self.ledger = Ledger(folder)
        self.sent: list[Message] = []
        self._url = url
        self._processes: list[Process] = []

    async def join(self) -> Process:
        """One more replica."""
        arguments = ("-m", "tests.integration.brokers.worker", self._url, self.application, self.ledger.path)
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        self._processes.append(process)
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.stdout.readline() == b"ready\n"
        self._tasks.spawn(self._listen(process.stdout))
        return process

    async def _listen(self, output: asyncio.StreamReader) -> None:
        """A replica writes a line for each event that it has handled."""
        while await output.readline():
            self.ledger.changed.set()

    async def publish(self, broker: Broker, count: int) -> None:
        begin = len(self.sent)
        messages = [message(number, key=f"k{number % 10}") for number in range(begin, begin + count)]
        self.sent += messages
        await broker.publish(messages)

    async def end(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            for process in self._processes:
                await process.wait()
        self.ledger.close()


@pytest.fixture(
    params=[
        pytest.param(NatsEngine, marks=pytest.mark.needs("nats"), id="nats"),
        pytest.param(RabbitEngine, marks=pytest.mark.needs("rabbitmq"), id="rabbitmq"),
        pytest.param(RedisEngine, marks=pytest.mark.needs("redis"), id="redis"),
    ]
)
def engine(request: pytest.FixtureRequest) -> Any:
    with request.param() as running:
        yield running


@asynccontextmanager
async def team(engine: Any, folder: Path) -> AsyncIterator[tuple[Team, Broker]]:
    tasks = Tasks()
    crew = Team(engine.url, folder, tasks)
    broker = make_broker(engine.url, crew.application, tasks)
    await broker.open()
    try:
        yield crew, broker
    finally:
        await crew.end()
        await broker.close()
        await tasks.stop()


async def test_killed_and_frozen_replicas_lose_nothing_and_mix_up_nothing(engine: Any, tmp_path: Path) -> None:
    async with team(engine, tmp_path) as (crew, broker):
        first, second = await crew.join(), await crew.join()
        await crew.publish(broker, 500)
        first.kill()
        await crew.publish(broker, 500)
        await crew.ledger.until(1000)
        third = await crew.join()
        await crew.publish(broker, 500)
        await crew.ledger.until(1500)  # so that it does not hold the ledger's lock
        second.send_signal(signal.SIGSTOP)  # for longer than its lease: the others take over
        await crew.publish(broker, 500)
        await crew.ledger.until(2000)
        second.send_signal(signal.SIGCONT)
        await crew.publish(broker, 500)
        await crew.ledger.until(2500)
        assert third.returncode is None
        for key in {sent.key for sent in crew.sent}:
            assert crew.ledger.ids(key or "") == [sent.id for sent in crew.sent if sent.key == key]
