"""Which adapter serves which port: the only module of the runtime that names them."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

from ramet.clock import Clock
from ramet.contract.declared import Declared, DeclaredContract
from ramet.errors import ConfigurationError
from ramet.events.base import Broker
from ramet.events.brokers.memory import MemoryBroker
from ramet.model.topology import Deployment
from ramet.runtime.interests import interests
from ramet.runtime.linking import Carrier
from ramet.settings import referred
from ramet.storage.base import Storage
from ramet.storage.sqlite.options import SqliteOptions
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.tasks import Spawn
from ramet.transport.base import Peer

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from ramet.storage.address import Address
    from ramet.storage.migrations import Migrations
    from ramet.storage.postgres.storage import PostgresStorage

SQLITE = "sqlite"
LOOPBACK = ("127.", "localhost:", "[::1]:")
Synchronous = Literal["FULL", "NORMAL", "OFF"]


@dataclass(frozen=True, kw_only=True)
class Engines:
    """What the runtime borrows: a database for each service, and a broker, which works with its clock and tasks."""

    storage: Callable[[str], Storage]
    broker: Callable[[Clock, Spawn], Broker]


def engines(deployment: Deployment, folder: Path, declared: Declared, *, readonly: bool = False) -> Engines:
    """The engines that a deployment names. Raises: ConfigurationError; MissingExtra."""
    storage = embedded(deployment, folder, readonly=readonly).storage
    if deployment.storage != SQLITE:
        storage = _postgres(deployment, folder, declared, readonly=readonly)
    return Engines(
        storage=storage, broker=in_memory if deployment.broker == "memory" else _remembering(deployment, declared)
    )


def load(deployment: Deployment) -> None:
    """Import what the engines of a deployment are made of, so that who is forked need not. Raises: MissingExtra."""
    if deployment.storage != SQLITE:
        _postgres_kind()
    if deployment.broker != "memory":
        _broker_kind(deployment)


def _postgres(deployment: Deployment, folder: Path, declared: Declared, *, readonly: bool) -> Callable[[str], Storage]:
    """A schema for each service, opened with the service's own role where `ramet db provision` has made one."""
    from ramet.storage.postgres.options import PostgresOptions

    kind = _postgres_kind()
    login = logins(deployment, folder, declared)
    options = PostgresOptions(synchronous_commit="on" if deployment.durability == "full" else "off", readonly=readonly)

    def storage(service: str) -> Storage:
        return kind(service, login(service).url, options)

    return storage


def logins(deployment: Deployment, folder: Path, declared: Declared) -> Callable[[str], Address]:
    """Where on PostgreSQL each service has its storage, and who it is there."""
    from ramet.storage.address import address
    from ramet.storage.grants import connection_for
    from ramet.storage.provisioning import FILE, passwords

    server = address(deployment.storage)
    known = passwords(folder / deployment.data / FILE, [one.name for one in declared.services], os.environ)
    return lambda service: connection_for(declared.name, service, server, known)


def _postgres_kind() -> type[PostgresStorage]:
    from ramet.storage.postgres.storage import PostgresStorage

    return PostgresStorage


def _remembering(deployment: Deployment, declared: Declared) -> Callable[[Clock, Spawn], Broker]:
    """A broker with a memory of its own, told of every consumer of the application."""
    wanted = tuple(interests(declared))

    def broker(clock: Clock, spawn: Spawn) -> Broker:
        kind = _broker_kind(deployment)
        return kind(deployment.broker, application=declared.name, clock=clock, spawn=spawn, interests=wanted)

    return broker


def _broker_kind(deployment: Deployment) -> Callable[..., Broker]:
    if deployment.broker_class:
        return _broker_of_own(deployment)
    scheme = deployment.broker.partition("://")[0]
    if scheme in ("nats", "tls"):
        from ramet.events.brokers.nats.broker import NatsBroker

        return NatsBroker
    if scheme in ("redis", "rediss"):
        from ramet.events.brokers.redis.broker import RedisBroker

        return RedisBroker
    from ramet.events.brokers.rabbitmq.broker import RabbitBroker

    return RabbitBroker


def _broker_of_own(deployment: Deployment) -> type[Broker]:
    """The class that a deployment names. Raises: ConfigurationError."""
    module, _, name = deployment.broker_class.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"broker_class of [deployment.{deployment.name}] cannot be imported ({error}): write it as module:Class."
        ) from error
    if not (isinstance(found, type) and issubclass(found, Broker)):
        raise ConfigurationError(
            f"broker_class of [deployment.{deployment.name}] is no broker: {deployment.broker_class} has to be a "
            "subclass of ramet.events.base.Broker."
        )
    return found


def embedded(deployment: Deployment, folder: Path, *, readonly: bool = False) -> Engines:
    """Everything inside this process: SQLite files below the deployment's data folder, and the broker in memory."""
    data = folder / deployment.data
    options = SqliteOptions(synchronous=cast("Synchronous", deployment.durability.upper()), readonly=readonly)
    return Engines(
        storage=lambda service: SqliteStorage(service, data / f"{service}.sqlite", options), broker=in_memory
    )


def in_memory(_clock: Clock, _spawn: Spawn) -> Broker:
    """The broker of a deployment that is one process."""
    return MemoryBroker()


def kept(deployment: Deployment, folder: Path) -> list[str]:
    """The services that have a database in the deployment's data folder."""
    return sorted(path.stem for path in (folder / deployment.data).glob("*.sqlite"))


def temporary() -> Engines:
    """For tests: temporary files without a sync to the disk, gone when closed."""
    return Engines(storage=SqliteStorage, broker=in_memory)


@asynccontextmanager
async def temporary_on_server(deployment: Deployment) -> AsyncIterator[Engines]:
    """A database on the server of a deployment, gone after the block; a service has a schema there and no role.

    Raises: StorageUnavailable where the server gives none.
    """
    from ramet.storage.address import address
    from ramet.storage.provisioning import temporary_database

    kind = _postgres_kind()
    async with temporary_database(address(deployment.storage)) as where:
        yield Engines(storage=lambda service: kind(service, where.url), broker=in_memory)


class Outside(Carrier, Protocol):
    """Carries calls to another application."""

    async def close(self) -> None:
        """Close the connections."""
        ...


def external_service(
    contract: DeclaredContract, url: str, token: str, clock: Clock, environment: Mapping[str, str]
) -> Outside:
    """What carries calls of a contract to a URL, as JSON over HTTP; "env:NAME" and "file:/path" are looked up.

    Raises: ConfigurationError where such a reference leads nowhere; MissingExtra.
    """
    from ramet.http.external import ExternalService

    try:
        where, secret = referred(url, environment), referred(token, environment)
    except ValueError as error:
        raise ConfigurationError(f"{contract.name}, which is answered outside, cannot be reached: {error}.") from error
    return ExternalService(contract, where, clock=clock, token=(lambda: secret) if secret else None)


def callers_verified(
    deployment: Deployment, data: Path, application: str, clock: Clock
) -> Callable[[bytes], Peer] | None:
    """How those are known who call contracts over HTTP: by tokens (`ramet token`), or on loopback not at all.

    Raises: ConfigurationError where nobody could have a token, and the address is not loopback.
    """
    keys = data / "keys" / "public.json"
    if keys.exists():
        from ramet.runtime.credentials import verification

        return verification(application, deployment.name, keys, clock)
    if deployment.contracts and not deployment.listen.startswith(LOOPBACK):
        raise ConfigurationError(
            f"The contracts of {application} would answer everybody on {deployment.listen}: make a token for those who "
            f"may call them (`ramet token NAME -d {deployment.name}`), or listen on 127.0.0.1."
        )
    return None


def migrations(storage: Storage, folder: Path, tables: MetaData, options: str) -> Migrations:
    """The migrations of a service; Alembic costs more than starting, and is imported here and now."""
    from ramet.storage.migrations import Migrations

    return Migrations(storage, folder, tables, options)
