"""A database, and in it a schema and a role for each service: made where they are not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ramet.errors import ConfigurationError, MissingExtra, StorageUnavailable, storable, system_words
from ramet.storage.address import Address, quoted
from ramet.storage.grants import Login, for_the_database, for_the_server, role_of

try:
    import asyncpg
except ImportError as error:
    raise MissingExtra("asyncpg", "postgres", "Provisioning PostgreSQL") from error

FILE = "postgresql.json"
"""The services' passwords, in the deployment's data folder, for nobody but its owner to read."""

_PATIENCE_SECONDS = 2
_CLOSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
_HAS_DATABASE = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1"


class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """What a service has: where, and as whom."""

    service: str
    database: str
    schema: str
    role: str


def variable(service: str) -> str:
    """The environment variable that gives a service's password, before any file.

    >>> variable("gift-cards")
    'RAMET_POSTGRESQL_GIFT_CARDS'
    """
    return "RAMET_POSTGRESQL_" + "".join(letter if letter.isalnum() else "_" for letter in service).upper()


def passwords(file: Path, services: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The passwords there are: from the environment, else from the file.

    Raises: ConfigurationError where the file is no such file, or others may read it.
    """
    kept: dict[str, str] = {}
    if file.exists():
        if file.stat().st_mode & 0o077:
            raise ConfigurationError(f"{file} holds passwords and others may read it: chmod 600 {file}")
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
        except msgspec.DecodeError as error:
            raise ConfigurationError(f"{file} holds no passwords ({error}): remove it and provision again.") from error
    given = {service: environment[variable(service)] for service in services if variable(service) in environment}
    return {**kept, **given}


def logins(application: str, services: Sequence[str], file: Path, environment: Mapping[str, str]) -> list[Login]:
    """The role of every service; passwords that are not there yet are made up, to be kept once the server has them."""
    known = passwords(file, services, environment)
    return [
        Login(
            service=service,
            role=role_of(application, service),
            password=known[service] if service in known else secrets.token_urlsafe(24),
        )
        for service in services
    ]


async def give_roles(
    application: str, services: Sequence[str], server: Address, file: Path, environment: Mapping[str, str]
) -> list[Provisioned]:
    """Give each service its schema and role, and keep the passwords once the server has them.

    The database is that of the URL, or is named after the application. Raises: as `provision`.
    """
    wanted = logins(application, services, file, environment)
    done = await provision(server, server.database or application, wanted)
    keep(wanted, file, environment)
    return done


def keep(wanted: Sequence[Login], file: Path, environment: Mapping[str, str]) -> None:
    """Write the passwords that the environment does not give to the file."""
    kept = passwords(file, (), {})
    whole = kept | {one.service: one.password for one in wanted if variable(one.service) not in environment}
    if whole == kept:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(msgspec.json.format(msgspec.json.encode(whole)))
    partial.replace(file)


def script(database: str, wanted: Sequence[Login]) -> str:
    """Everything as SQL for `psql`, for whoever may do it."""
    server = for_the_server(database, wanted, salt=secrets.token_bytes(16))
    create = f"SELECT 'CREATE DATABASE {quoted(database)}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = "
    lines = [create + "'" + database.replace("'", "''") + "')\\gexec", *(f"{line};" for line in server)]
    lines += [f"\\connect {quoted(database)}", *(f"{line};" for line in for_the_database(database, wanted))]
    return "\n".join(lines)


async def provision(server: Address, database: str, wanted: Sequence[Login]) -> list[Provisioned]:
    """Make what is not there, and set what is there right; may be repeated.

    Raises: StorageUnavailable where the server is away, ConfigurationError where its user may not do it.
    """
    try:
        raw = await asyncpg.connect(**server.at(database="postgres").arguments())
        try:
            if await raw.fetchval(_HAS_DATABASE, database) is None:
                await raw.execute(f"CREATE DATABASE {quoted(database)}")
            await _execute(raw, for_the_server(database, wanted, salt=secrets.token_bytes(16)))
        finally:
            await raw.close()
        raw = await asyncpg.connect(**server.at(database=database).arguments())
        try:
            await _execute(raw, for_the_database(database, wanted))
        finally:
            await raw.close()
    except OSError as error:
        raise StorageUnavailable(
            f"PostgreSQL at {server.place} cannot be reached ({system_words(error)}): see whether it runs there."
        ) from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise ConfigurationError(
            f"PostgreSQL at {server.place} does not let {server.user or 'us'} in ({error}): "
            "mend the user and the password of storage in ramet.toml."
        ) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConfigurationError(
            f"PostgreSQL at {server.place} could not be provisioned ({storable(str(error))}): the user of the URL must "
            "be a superuser, or own the database and have CREATEROLE. `--sql` prints what somebody else may execute."
        ) from error
    return [Provisioned(service=one.service, database=database, schema=one.service, role=one.role) for one in wanted]


@asynccontextmanager
async def temporary_database(server: Address) -> AsyncIterator[Address]:
    """A database that is there as long as the block, and its user's alone.

    Raises: StorageUnavailable where the server is away, or does not let its user make one.
    """
    name = quoted(f"ramet_temporary_{secrets.token_hex(8)}")
    await _at_once(server, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        await _at_once(server, f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        yield server.at(database=name.strip('"'))
    finally:
        await _at_once(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _at_once(server: Address, statement: str) -> None:
    try:
        raw = await asyncpg.connect(**server.at(database="postgres").arguments())
        try:
            await raw.execute(statement)
        finally:
            await raw.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StorageUnavailable(
            f"PostgreSQL at {server.place} gives no temporary database ({storable(str(error))}): the server must run, "
            "and the user of the URL be allowed to create databases."
        ) from error


class Closed(NamedTuple):
    """The server is there, and does not let a user in: why, and whether that is for want of the database."""

    why: str
    lacks_database: bool


async def closed(where: Address) -> Closed | None:
    """Log in and out; None where nothing is against it that those who work there do not say better."""
    try:
        raw = await asyncpg.connect(**where.arguments(), timeout=_PATIENCE_SECONDS)
        await raw.close(timeout=_PATIENCE_SECONDS)
    except _CLOSED as error:
        return Closed(str(error), isinstance(error, asyncpg.InvalidCatalogNameError))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        return None
    return None


async def _execute(raw: Any, statements: Sequence[str]) -> None:
    async with raw.transaction():
        await raw.execute("SELECT pg_advisory_xact_lock(hashtextextended('ramet provision', 0))")
        for statement in statements:
            await raw.execute(statement)
