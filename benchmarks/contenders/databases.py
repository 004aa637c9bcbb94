"""A database of its own for each run, on a PostgreSQL that is as durable as it comes."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def new_database(server: str) -> str:
    """Make an empty database; its URL. Raises: RuntimeError where a power failure could lose a commit."""
    return asyncio.run(_new_database(server))


async def _new_database(server: str) -> str:
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in DURABLE}
        if settings != DURABLE:
            raise RuntimeError(f"PostgreSQL runs with {settings} instead of {DURABLE}")
        name = f"bench_{uuid.uuid4().hex[:12]}"
        await connection.execute(f"CREATE DATABASE {name}")
        return f"{server}/{name}"
    finally:
        await connection.close()
