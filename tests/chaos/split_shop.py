"""The shop as processes, as users run it: `ramet up split`, over a real PostgreSQL and a real broker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg

from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.postgres import PostgresServer
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.chaos.exported import export
from tests.chaos.link import Link
from tests.chaos.shop_process import ShopProcess, pause
from tests.chaos.weather import Weather

BROKERS = {"nats": NatsEngine, "rabbitmq": RabbitEngine, "redis": RedisEngine}
DEPLOYMENT = "split"


class SplitShop(ShopProcess):
    """The deployment `split` below `folder`, and the engines that it needs; used as `async with`."""

    def __init__(self, folder: Path, *, broker: str, chance: Random) -> None:
        super().__init__(folder)
        self._stack = ExitStack()
        self.postgres = PostgresServer()
        self.broker = BROKERS[broker]()
        self._chance = chance
        self.weather: list[Weather] = []
        self.link = Link.made()
        if self.link is not None:
            self._stack.callback(self.link.remove)
            self.address = f"{self.link.shop}:8080"

    async def __aenter__(self) -> Self:
        self._stack.enter_context(self.postgres)
        self._stack.enter_context(self.broker)
        connection = await asyncpg.connect(f"{self.postgres.url}/postgres")
        await connection.execute("CREATE DATABASE shop")
        await connection.close()
        storage = f"{await self._before(self.postgres.url)}/shop"
        broker = await self._before(self.broker.url)
        file = self.folder / "ramet.toml"
        text = file.read_text(encoding="utf-8")
        text = text.replace('"postgresql://localhost:5432"', f'"{storage}"')
        file.write_text(text.replace('"nats://localhost:4222"', f'"{broker}"'), encoding="utf-8")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()
        for one in self.weather:
            await one.stop()
        self._stack.close()

    async def _before(self, url: str) -> str:
        """The URL of a network with weather before a server."""
        port = urlsplit(url).port
        assert port is not None
        host = "127.0.0.1" if self.link is None else self.link.engines
        weather = Weather(port, self._chance, host)
        await weather.start()
        self.weather.append(weather)
        return url.replace(f"127.0.0.1:{port}", f"{host}:{weather.port}", 1)

    @property
    def inside(self) -> tuple[str, ...]:
        return () if self.link is None else self.link.inside

    @property
    def network(self) -> str:
        """What its packets travel through."""
        return "a TCP proxy" if self.link is None else "a network namespace that loses packets"

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("up", DEPLOYMENT, "--no-reload", "--listen", self.address)

    @property
    def data(self) -> Path:
        return self.folder / ".ramet" / "exported"

    def stop(self) -> None:
        """All processes; every one finishes what it has in flight."""
        super().stop()

    def command(self, *arguments: str) -> str:
        return super().command(*arguments, "-d", DEPLOYMENT)

    def members(self) -> list[dict[str, Any]]:
        """The replicas as the supervisor sees them."""
        status = json.loads(self.command("status", "--json"))
        return [member for group in status["groups"] for member in group["replicas"]]

    def replicas(self) -> list[int]:
        """Their process ids."""
        return [member["pid"] for member in self.members() if member["pid"] and member["state"] == "ready"]

    async def healthy(self, *, patience_seconds: float) -> float:
        """Wait until every replica is ready; how long that took, in seconds. Raises: TimeoutError."""
        now = asyncio.get_running_loop().time
        begun = now()
        while now() - begun < patience_seconds:
            members = await asyncio.to_thread(self.members)
            if members and all(member["state"] == "ready" for member in members):
                return now() - begun
            await pause(0.1)
        raise TimeoutError(f"after {patience_seconds:g} s not every replica is ready: {self.members()}")

    async def copy_the_books(self) -> None:
        """Every service's tables, of one moment."""
        await export(f"{self.postgres.url}/shop", self.data)


def hit(pid: int, number: signal.Signals) -> bool:
    """Send a signal; False where the process is gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def family(pid: int) -> list[int]:
    """A process with all its children, and theirs."""
    found = [pid]
    for one in found:
        for tasks in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, tasks.read_text(encoding="ascii").split())
    return found
