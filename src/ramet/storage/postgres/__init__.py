"""The adapter for PostgreSQL: each service in a schema and role of its own, units side by side, rows in groups."""

from ramet.errors import MissingExtra

try:
    import asyncpg as _  # noqa: F401 - whether it is installed
except ImportError as error:
    raise MissingExtra("asyncpg", "postgres", "PostgreSQL") from error
