"""The engines of a test: embedded ones, or real servers, on which each test has a place of its own for its length."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ramet.contract.declared import Declared
from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment
from ramet.runtime.interests import interests
from ramet.runtime.wiring import Engines, engines, temporary
from ramet.storage.address import address

STORAGES = ("postgresql", "postgres")
LONGEST_NAME = 20
"""How much of an application's name is in that of its place; PostgreSQL takes names of 63 bytes."""
Kind = Literal["memory", "nats", "rabbitmq", "redis"]
_KINDS: dict[str, Kind] = {
    "nats": "nats",
    "tls": "nats",
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "redis": "redis",
    "rediss": "redis",
}


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Which engines a test has: "sqlite" and "memory", or the URLs of a PostgreSQL, and of a NATS, RabbitMQ or Redis.

    `broker_class` is "module:Class" of a broker of one's own, which is given `broker`; what a test leaves on its server
    stays there.

    On a server the test gets a new database, and streams or queues of its own, which are removed at its end: so many
    tests can use one server at the same time. The user of the URL must be allowed to create databases.
    """

    storage: str = "sqlite"
    broker: str = "memory"
    broker_class: str = ""

    def __post_init__(self) -> None:
        if self.storage != "sqlite" and _scheme(self.storage) not in STORAGES:
            raise ConfigurationError(
                f'The storage of a test is "sqlite" or postgresql://user:password@host:5432, not "{self.storage}".'
            )
        if self.broker != "memory" and not self.broker_class and _scheme(self.broker) not in _KINDS:
            raise ConfigurationError(
                'The broker of a test is "memory", nats://host:4222, amqp://host:5672/ or redis://host:6379/0, not '
                f'"{self.broker}".'
            )

    @property
    def are_real(self) -> bool:
        """Whether any of them is a server, to which time is real."""
        return (self.storage, self.broker) != ("sqlite", "memory")

    @property
    def kind(self) -> Kind:
        """Which broker it is."""
        return _KINDS.get(_scheme(self.broker), "memory")


EMBEDDED = Servers()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one test works: `name` is that of its database, streams and queues, `storage` the URL with the database."""

    name: str
    storage: str
    broker: str


@asynccontextmanager
async def place_on(servers: Servers, declared: Declared, *, data: Path | None = None) -> AsyncIterator[Place]:
    """A place of its own on each server; what is there at the end is removed.

    With a `data` folder each service gets a schema and a role, whose passwords are kept there.
    """
    name = f"{re.sub('[^a-z0-9]', '_', declared.name.lower())[:LONGEST_NAME]}_{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        storage = servers.storage
        if storage != "sqlite":
            from ramet.storage.provisioning import FILE, give_roles
            from ramet.testing.databases import database

            storage = await stack.enter_async_context(database(address(storage), name))
            if data is not None:
                services = [service.name for service in declared.services]
                await give_roles(name, services, address(storage), data / FILE, {})
        if servers.kind == "nats":
            from ramet.testing.leftovers import nats

            stack.push_async_callback(nats.forget, servers.broker, name)
        elif servers.kind == "rabbitmq":
            from ramet.testing.leftovers import rabbitmq

            stack.push_async_callback(rabbitmq.forget, servers.broker, name, tuple(interests(declared)))
        elif servers.kind == "redis":
            from ramet.testing.leftovers import redis

            stack.push_async_callback(redis.forget, servers.broker, name)
        yield Place(name=name, storage=storage, broker=servers.broker)


@asynccontextmanager
async def engines_of(servers: Servers, declared: Declared) -> AsyncIterator[Engines]:
    """The engines of one test inside this process."""
    if not servers.are_real:
        yield temporary()
        return
    async with place_on(servers, declared) as place:
        with TemporaryDirectory(prefix="ramet-") as folder:
            deployment = Deployment(
                name="test",
                data=".",
                durability="off",
                storage=place.storage,
                broker=place.broker,
                broker_class=servers.broker_class,
            )
            found = engines(deployment, Path(folder), replace(declared, name=place.name))
            yield found if servers.storage != "sqlite" else replace(found, storage=temporary().storage)


def _scheme(url: str) -> str:
    return url.partition("://")[0]
