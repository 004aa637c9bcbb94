"""Real processes of one service on a real PostgreSQL, killed and frozen: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.errors import StorageError
from ramet.storage.base import Write
from ramet.storage.leases import SILENCE_SECONDS
from ramet.storage.postgres.storage import PostgresStorage
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")
WORKER = Path(__file__).with_name("worker.py")
CLOCK = SystemClock()


class Crew:
    """The processes, by name."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.url = f"{server.url}/postgres"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.hired = 0
        self.orders = PostgresStorage("orders", self.url)
        self.books = PostgresStorage("books", self.url)

    async def hire(self) -> str:
        self.hired += 1
        name = f"w{self.hired}"
        command = [sys.executable, str(WORKER), self.url, name]
        process = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE)
        self.running[name] = process
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"running\n"
        return name

    def tell(self, name: str, what: signal.Signals) -> None:
        self.running[name].send_signal(what)

    async def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        await asyncio.to_thread(process.wait)
        assert process.stdout is not None
        process.stdout.close()

    async def count(self, sql: str, *, books: bool = False) -> int:
        with suppress(StorageError):
            return int((await (self.books if books else self.orders).fetch(sql))[0][0])
        return -1

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float = 90.0) -> None:
        async with asyncio.timeout(seconds):
            while not await condition():
                await CLOCK.sleep(0.1)

    async def grow(self, by: int) -> None:
        """Let so many sagas more end."""
        ended = "SELECT count(*) FROM ramet_saga WHERE ended_at IS NOT NULL"
        goal = max(0, await self.count(ended)) + by

        async def grown() -> bool:
            return await self.count(ended) >= goal

        await self.until(grown)

    async def finish(self) -> None:
        """Take no more orders, and let everything end but the clock."""
        await self.books.write(Write("INSERT INTO phase VALUES ('finish')", [()]))
        ticks = await self.count("SELECT count(*) FROM tick")

        async def ended() -> bool:
            return (
                await self.count("SELECT count(*) FROM ramet_saga WHERE ended_at IS NULL") == 0
                and await self.count("SELECT count(*) FROM ramet_outbox WHERE sent_at IS NULL") == 0
                and await self.count("SELECT count(*) FROM tick") > ticks
            )

        await self.until(ended)

    async def check(self) -> int:
        """The books balance; returns how many sagas there were."""
        done: dict[str, list[str]] = {}
        for method, number in await self.books.fetch("SELECT method, number FROM effect WHERE refused = 0"):
            done.setdefault(number, []).append(method)
        sagas = await self.orders.fetch("SELECT business_key, status FROM ramet_saga")
        for number, status in sagas:
            refused = number.endswith(("0", "5"))
            wanted = ["charge", "refund", "release", "reserve"] if refused else ["charge", "reserve", "ship"]
            assert (status, sorted(done[number])) == ("compensated" if refused else "completed", wanted), number
        sent = {row[0] for row in await self.books.fetch("SELECT DISTINCT event_id FROM sent")}
        assert sent == {row[0] for row in sagas}
        ticks = Counter(row[0] for row in await self.orders.fetch("SELECT due FROM tick"))
        assert ticks.most_common(1)[0][1] == 1
        return len(sagas)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def crew(server: PostgresServer) -> AsyncIterator[Crew]:
    made = Crew(server)
    await asyncio.gather(*(made.hire() for _ in range(3)))
    await asyncio.gather(made.orders.open(()), made.books.open(()))
    yield made
    for name in tuple(made.running):
        await made.kill(name)
    await asyncio.gather(made.orders.close(), made.books.close())


async def test_killed_processes_are_survived(crew: Crew) -> None:
    chance = random.Random(3)
    for _ in range(4):
        await crew.grow(100)
        await crew.kill(chance.choice(sorted(crew.running)))
        await crew.hire()
    await crew.finish()
    assert await crew.check() > 400


async def test_a_process_that_is_frozen_for_longer_than_its_lease_does_no_harm(crew: Crew) -> None:
    for name in ("w1", "w2"):
        await crew.grow(50)
        crew.tell(name, signal.SIGSTOP)

        async def expelled() -> bool:
            return await crew.count("SELECT count(*) FROM ramet_lease WHERE name LIKE 'worker/%'") == 2

        await crew.until(expelled, 3 * SILENCE_SECONDS)
        await crew.grow(50)
        crew.tell(name, signal.SIGCONT)
        await crew.grow(50)
    await crew.finish()
    assert await crew.check() > 200


async def test_a_process_that_freezes_with_what_all_the_others_need_holds_them_up_for_seconds(crew: Crew) -> None:
    """Its locks end with its lease; without that they would end one after the other, as each comes to its turn."""
    await crew.grow(20)
    command = [sys.executable, str(WORKER.with_name("frozen.py")), crew.url]
    frozen = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE)
    try:
        _, status = await asyncio.to_thread(os.waitpid, frozen.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        await crew.grow(20)
        frozen.send_signal(signal.SIGCONT)
        assert frozen.stdout is not None
        said = (await asyncio.to_thread(frozen.stdout.read)).splitlines()
        frozen.stdout.close()
        assert said[0] in {b"commit: StorageUnavailable", b"commit: CommitUnknown"}
        assert said[1:] == [b"then: went well"]
    finally:
        frozen.kill()
        frozen.wait()
    await crew.finish()
    await crew.check()


async def test_a_server_that_restarts_is_survived(crew: Crew) -> None:
    await crew.grow(50)
    await asyncio.to_thread(crew.server.restart)
    await crew.grow(50)
    await asyncio.to_thread(crew.server.kill)
    await asyncio.to_thread(crew.server.start)
    await crew.kill("w1")
    await crew.grow(50)
    await crew.finish()
    assert await crew.check() > 100
