"""How an application uses Redis, read from the address: `redis://user:password@host:6379/0?partitions=8`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ramet.errors import ConfigurationError
from ramet.events.brokers.address import read_options, shown
from ramet.events.brokers.certificates import tls

SYNC = ("", "always", "wait")
CONFIRM_MILLISECONDS = 5000


@dataclass(frozen=True, kw_only=True)
class RedisOptions:
    """`url` is the address without options. The first process to come decides about `partitions`, which bounds how many
    replicas of a consumer share its work.

    An event waits for its consumers for `retention_days`; once all have handled it, it is kept for `past_days` more.
    `sync` is "always" where the operator says that the server syncs what it writes, "wait" where each event waits for
    that (WAITAOF); `replicas` is how many replicas of the server must have an event as well.

    `ca`, `certificate` and `key` are files for TLS. `patience_seconds` is how long `open` tries to connect.
    """

    url: str = "redis://localhost:6379/0"
    partitions: int = 8
    retention_days: float = 7.0
    past_days: float = 0.0
    sync: str = ""
    replicas: int = 0
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    patience_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.sync not in SYNC:
            raise ConfigurationError(
                f'The broker\'s address {self.shown} has sync="{self.sync}"; there are "always" and "wait".'
            )

    @property
    def shown(self) -> str:
        """The address without credentials."""
        return shown(self.url)

    @property
    def database(self) -> int:
        """The number of the database."""
        path = urlsplit(self.url).path.strip("/")
        return int(path) if path.isdigit() else 0

    @property
    def confirmation(self) -> tuple[str | int, ...]:
        """What is asked after events were written, before they are taken for stored; empty where the answer to the
        writing says enough."""
        if self.sync == "wait":
            return "WAITAOF", 1, self.replicas, CONFIRM_MILLISECONDS
        return ("WAIT", self.replicas, CONFIRM_MILLISECONDS) if self.replicas else ()

    def confirms(self, answer: Any) -> bool:
        """Whether enough servers have it."""
        local, replicas = answer if isinstance(answer, list) else (1, answer)
        return bool(local >= 1 and replicas >= self.replicas)

    def tls(self) -> dict[str, str]:
        """The client library's names for the files, where connections are encrypted.

        Raises: ConfigurationError for a file that cannot be used.
        """
        tls(self.ca, self.certificate, self.key, shown=self.shown)
        files = {"ssl_ca_certs": self.ca, "ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        return {name: file for name, file in files.items() if file}


_NUMBERS = {"partitions": int, "replicas": int, "retention_days": float, "past_days": float, "patience_seconds": float}
_KINDS = _NUMBERS | dict.fromkeys(("sync", "ca", "certificate", "key"), str)


def read_url(url: str) -> RedisOptions:
    """Raises: ConfigurationError for options it does not know."""
    given = read_options(url, _KINDS)
    base = url.partition("?")[0]
    if "ca" in given or "certificate" in given:
        base = base.replace("redis://", "rediss://", 1)
    return RedisOptions(url=base, **given)
