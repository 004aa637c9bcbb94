"""How an application uses NATS, read from the address: `nats://user:password@host:4222?partitions=8`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ramet.events.brokers.address import read_options, shown
from ramet.events.brokers.certificates import require, tls

DAY_SECONDS = 86400.0


@dataclass(frozen=True, kw_only=True)
class NatsOptions:
    """`servers` are addresses without options. The first process to come decides about `partitions`, which bounds how
    many replicas of a consumer share its work; `replicas` is how many servers of a cluster have each event;
    `retention_days` how long events are kept; `sync` what the operator says of the servers' `sync_interval`.

    `ca`, `certificate` and `key` are files for TLS. `patience_seconds` is how long `open` tries to connect.
    """

    servers: tuple[str, ...] = ("nats://localhost:4222",)
    partitions: int = 8
    replicas: int = 1
    retention_days: float = 7.0
    sync: str = ""
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    credentials: str | None = None
    patience_seconds: float = 10.0
    shown: str = field(default="", repr=False)

    def tls(self) -> ssl.SSLContext | None:
        """What connections are encrypted with; None: what the address and the server say.

        Raises: ConfigurationError for a file that cannot be used, also where it is that of the credentials.
        """
        require(self.credentials, shown=self.shown)
        return tls(self.ca, self.certificate, self.key, shown=self.shown)


_NUMBERS = {"partitions": int, "replicas": int, "retention_days": float, "patience_seconds": float}
_KINDS = _NUMBERS | dict.fromkeys(("sync", "ca", "certificate", "key", "credentials"), str)


def read_url(url: str) -> NatsOptions:
    """Several servers of a cluster are separated by commas. Raises: ConfigurationError for options it does not know."""
    given = read_options(url, _KINDS)
    base = url.partition("?")[0]
    scheme = urlsplit(base).scheme or "nats"
    servers = tuple(one if "://" in one else f"{scheme}://{one}" for one in base.split(",") if one)
    return NatsOptions(servers=servers, shown=shown(url), **given)
