"""Pure: what a Redis server says of itself that whoever stores events there should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ramet.errors import ConfigurationError
from ramet.events.brokers.redis.options import RedisOptions

OLDEST = (6, 2)
WAITS_FOR_FILES = (7, 2)
_OFTEN = {"everysec": "once a second", "no": "when the system likes"}


def read_info(text: bytes) -> Mapping[str, str]:
    """The answer to INFO.

    >>> read_info(b"# Server\\r\\nredis_version:7.0.15\\r\\n")
    {'redis_version': '7.0.15'}
    """
    lines = (line.partition(":") for line in text.decode(errors="replace").splitlines())
    return {name: value for name, separator, value in lines if separator}


def refuse(info: Mapping[str, str], options: RedisOptions) -> None:
    """Raises: ConfigurationError where the server cannot be used in this way."""
    version = tuple(int(part) for part in info.get("redis_version", "0").split(".")[:2])
    place = f"Redis at {options.shown}"
    if version < OLDEST:
        raise ConfigurationError(f"{place} is older than 6.2, the oldest that can forget events by their age.")
    if info.get("cluster_enabled") == "1":
        raise ConfigurationError(f"{place} is a Redis Cluster, which Ramet does not use: name a single server.")
    if options.sync == "wait" and (version < WAITS_FOR_FILES or info.get("aof_enabled") != "1"):
        raise ConfigurationError(
            f"{place} cannot be asked whether an event is on its disk, as ?sync=wait says: "
            "that needs Redis 7.2 and `appendonly yes`."
        )


def doubts(info: Mapping[str, str], appendfsync: str | None, options: RedisOptions) -> Iterator[str]:
    """What may be lost there, each in a sentence; `appendfsync` is None where the server does not tell."""
    place = f"Redis at {options.shown}"
    if info.get("aof_enabled") != "1":
        yield (
            f"{place} keeps no append-only file, so a restart loses events that it has confirmed: "
            "set `appendonly yes` and `appendfsync always` there"
        )
    elif options.sync != "wait" and appendfsync is not None and appendfsync != "always":
        yield (
            f"{place} syncs its append-only file {_OFTEN.get(appendfsync, appendfsync)}, so a crash may lose the last "
            "events that it has confirmed: set `appendfsync always` there, or from Redis 7.2 on add ?sync=wait to the "
            "address"
        )
    elif not options.sync and appendfsync is None:
        yield (
            f"{place} does not tell how often it syncs its append-only file: set `appendfsync always` there, and add "
            "?sync=always to the address to say that it is set"
        )
    if info.get("maxmemory_policy", "").startswith("allkeys"):
        yield (
            f"{place} may throw events away when its memory is full: set `maxmemory-policy noeviction` there, "
            "and events wait in the outbox instead"
        )
