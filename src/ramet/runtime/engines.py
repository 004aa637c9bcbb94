"""Whether the engines of a deployment answer, and in one sentence what to do where one does not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from urllib.parse import parse_qs, unquote, urlsplit

from ramet.errors import ConfigurationError, system_words
from ramet.runtime.planning import masked

PATIENCE_SECONDS = 2.0
KINDS = {
    "postgresql": ("PostgreSQL", 5432),
    "postgres": ("PostgreSQL", 5432),
    "nats": ("NATS", 4222),
    "tls": ("NATS", 4222),
    "amqp": ("RabbitMQ", 5672),
    "amqps": ("RabbitMQ", 5671),
    "redis": ("Redis", 6379),
    "rediss": ("Redis", 6379),
}


async def obstacle(url: str) -> str | None:
    """Why an engine cannot be used now; None: it answers, or it is embedded.

    Raises: ConfigurationError for a URL that is none.
    """
    scheme = url.partition("://")[0]
    if "://" not in url or scheme not in KINDS:
        return None
    name, port = KINDS[scheme]
    place = _place(url, port)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, writer = await (
                asyncio.open_unix_connection(place)
                if isinstance(place, str)
                else asyncio.open_connection(*place, family=socket.AF_UNSPEC)
            )
    except (OSError, TimeoutError) as error:
        why = "took too long" if isinstance(error, TimeoutError) else system_words(error)
        return (
            f"{name} does not answer at {masked(url)} ({why}): start it, or add --engines to `ramet up`, which does so"
        )
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return None


def _place(url: str, port: int) -> str | tuple[str, int]:
    """Where it listens: the path of a Unix socket, or a host and a port."""
    try:
        parts = urlsplit(url.partition(",")[0])
        found = parts.port or port
    except ValueError as error:
        raise ConfigurationError(f"{masked(url)} is not a URL: {error}.") from error
    host = parse_qs(parts.query).get("host", [""])[0] or unquote(parts.hostname or "")
    if host.startswith("/"):
        return f"{host}/.s.PGSQL.{parse_qs(parts.query).get('port', [found])[0]}"
    return host or "localhost", found
