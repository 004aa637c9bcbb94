"""Whether PostgreSQL lets somebody in: asked once before a start, so that a wrong password is one sentence."""

from __future__ import annotations

from typing import NamedTuple

from ramet.errors import MissingExtra
from ramet.storage.address import Address

try:
    import asyncpg
except ImportError as error:
    raise MissingExtra("asyncpg", "postgres", "PostgreSQL as storage") from error

PATIENCE_SECONDS = 2.0
_CLOSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
_FOR_OTHERS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What else may keep us from logging in is said by those who work there."""


class Closed(NamedTuple):
    """The server is there, and does not let this user in: why, and whether that is for want of the database."""

    why: str
    lacks_database: bool


async def closed(where: Address) -> Closed | None:
    """Log in and out; None where nothing is known to be against it."""
    try:
        raw = await asyncpg.connect(**where.arguments(), timeout=PATIENCE_SECONDS)
        await raw.close(timeout=PATIENCE_SECONDS)
    except _CLOSED as error:
        return Closed(str(error), isinstance(error, asyncpg.InvalidCatalogNameError))
    except _FOR_OTHERS:
        return None
    return None
