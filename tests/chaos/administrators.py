"""Administrators: everything runs, and is refused, locked, full or withdrawn for a while, and then given back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, TypeVar

import asyncpg

from ramet.errors import ConfigurationError
from ramet.testing.engines.base import Engine
from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.postgres import PostgresServer
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.chaos.shop_process import pause

WITHDRAWN_SECONDS = (1.0, 12.0)
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'shop'"
_READABLE = "default_transaction_read_only"
Fault = Callable[[], Awaitable[None]]
T = TypeVar("T")
STARTING = (ConfigurationError, OSError, asyncpg.CannotConnectNowError)
"""What a server that was started a moment ago ends a call of an administrator with."""
TRIES = 60


async def when_up(call: Callable[[], Awaitable[T]]) -> T:
    """Do it as soon as the server that it is for is up, as after a fault before."""
    for _ in range(TRIES):
        with suppress(STARTING):
            return await call()
        await pause(0.5)
    return await call()


class Administrator:
    """Of one PostgreSQL and one broker; each fault ends with all as it was."""

    def __init__(self, postgres: PostgresServer, broker: Engine, chance: Random) -> None:
        self._postgres = postgres
        self._broker = broker
        self._chance = chance

    @property
    def all(self) -> Mapping[str, Fault]:
        """By name."""
        faults: dict[str, Fault] = {
            "make PostgreSQL read only": self.read_only,
            "end the connections to PostgreSQL": self.end_connections,
            "withdraw the password of PostgreSQL": self.withdraw_password,
            "lock tables": self.lock,
        }
        match self._broker:
            case NatsEngine():
                return faults | {"refuse the clients of NATS": self.refuse_nats}
            case RabbitEngine():
                return faults | {
                    "fill RabbitMQ": self.fill_rabbit,
                    "end the connections to RabbitMQ": self.end_rabbit_connections,
                }
            case RedisEngine():
                return faults | {"fill Redis": self.fill_redis, "make Redis read only": self.redis_read_only}
        return faults

    async def _while(self) -> None:
        await pause(self._chance.uniform(*WITHDRAWN_SECONDS))

    # -- PostgreSQL ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        settings = {_READABLE: "off"}
        connection = await when_up(lambda: asyncpg.connect(f"{self._postgres.url}/shop", server_settings=settings))
        try:
            yield connection
        finally:
            await connection.close()

    async def read_only(self) -> None:
        """As before a switch to another server; whoever is connected is told at its next transaction."""
        async with self._connected() as postgres:
            await postgres.execute(f"ALTER SYSTEM SET {_READABLE} = on")
            await postgres.execute("SELECT pg_reload_conf()")
            await self._while()
            await postgres.execute(f"ALTER SYSTEM RESET {_READABLE}")
            await postgres.execute("SELECT pg_reload_conf()")

    async def end_connections(self) -> None:
        """All of them, in waves."""
        async with self._connected() as postgres:
            for _ in range(self._chance.randint(1, 5)):
                await postgres.execute(_END)
                await pause(self._chance.uniform(0.0, 1.0))

    async def withdraw_password(self) -> None:
        """Who is connected is thrown out, and who comes is refused."""
        user, password = self._postgres.user, self._postgres.password
        async with self._connected() as postgres:
            await postgres.execute(f"ALTER ROLE {user} PASSWORD 'another'")
            await postgres.execute(_END)
            await self._while()
            await postgres.execute(f"ALTER ROLE {user} PASSWORD '{password}'")

    async def lock(self) -> None:
        """As a change of tables does."""
        async with self._connected() as postgres, postgres.transaction():
            await postgres.execute(f"LOCK TABLE {self._chance.choice(('orders.orders', 'orders.ramet_outbox'))}")
            await self._while()

    # -- brokers -------------------------------------------------------------------------------------------------

    async def refuse_nats(self) -> None:
        """The server wants other credentials for a while."""
        settings, pid = self._broker.folder / "nats.conf", self._broker.pid
        assert pid is not None
        usual = settings.read_text()
        settings.write_text(usual + 'authorization { user: "other", password: "other" }\n')
        os.kill(pid, signal.SIGHUP)
        await self._while()
        settings.write_text(usual)
        os.kill(pid, signal.SIGHUP)

    async def fill_rabbit(self) -> None:
        """It hears nobody who publishes, for want of memory."""
        await self._rabbit("set_vm_memory_high_watermark", "0.000001")
        await self._while()
        await self._rabbit("set_vm_memory_high_watermark", "0.4")

    async def end_rabbit_connections(self) -> None:
        """As before maintenance."""
        await self._rabbit("close_all_connections", "maintenance")

    async def _rabbit(self, *arguments: str) -> None:
        assert isinstance(self._broker, RabbitEngine)
        control = self._broker.control
        await when_up(lambda: asyncio.to_thread(control, *arguments))

    async def fill_redis(self) -> None:
        """It has no room for another event."""
        await self._redis("CONFIG", "SET", "maxmemory", "100kb")
        await self._while()
        await self._redis("CONFIG", "SET", "maxmemory", "0")

    async def redis_read_only(self) -> None:
        """It follows another server, which is not there."""
        await self._redis("REPLICAOF", "127.0.0.1", "1")
        await self._while()
        await self._redis("REPLICAOF", "NO", "ONE")

    async def _redis(self, *words: str) -> None:
        from redis.asyncio import Redis
        from redis.exceptions import BusyLoadingError
        from redis.exceptions import ConnectionError as NoConnectionError

        async def say() -> None:
            client: Any = Redis.from_url(self._broker.url)
            try:
                await client.execute_command(*words)
            except (BusyLoadingError, NoConnectionError) as error:
                raise OSError(str(error)) from error
            finally:
                await client.aclose()

        await when_up(say)
