"""A database of its own on a PostgreSQL server, for the length of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ramet.errors import MissingExtra, StorageError
from ramet.storage.address import Address, quoted

try:
    import asyncpg
except ImportError as error:
    raise MissingExtra("asyncpg", "postgres", "A test on PostgreSQL") from error

_ROLES = "SELECT rolname FROM pg_catalog.pg_roles WHERE starts_with(rolname, $1)"


@asynccontextmanager
async def database(server: Address, name: str) -> AsyncIterator[str]:
    """The URL of a new database; at the end it is dropped, whoever uses it still, with the roles that bear its name.

    Raises: StorageError where the server is away, or its user may not do it.
    """
    await _execute(server, f"CREATE DATABASE {quoted(name)} TEMPLATE template0")
    try:
        yield server.at(database=name).url
    finally:
        await _execute(server, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)", roles_of=name)


async def _execute(server: Address, statement: str, *, roles_of: str | None = None) -> None:
    try:
        raw = await asyncpg.connect(**server.at(database="postgres").arguments())
        try:
            await raw.execute(statement)
            for row in await raw.fetch(_ROLES, f"{roles_of}_") if roles_of is not None else ():
                await raw.execute(f"DROP ROLE {quoted(row['rolname'])}")
        finally:
            await raw.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StorageError(
            f"PostgreSQL at {server} gives a test no database of its own ({error}): the server must run, and the user "
            "of the URL be allowed to create databases."
        ) from error
