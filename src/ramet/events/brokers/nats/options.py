"""How an application uses NATS, read from the address: `nats://user:password@host:4222?partitions=8`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ramet.errors import ConfigurationError
from ramet.events.brokers.address import shown

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
        for file in (self.ca, self.certificate, self.key, self.credentials):
            if file and not Path(file).is_file():
                raise ConfigurationError(
                    f"The broker's address {self.shown} names the file {file}, which is not there."
                )
        if not (self.ca or self.certificate):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key)
        except ssl.SSLError as error:
            files = " or ".join(file for file in (self.ca, self.certificate, self.key) if file)
            raise ConfigurationError(
                f"The broker's address {self.shown} names {files}, which is no use: {error}."
            ) from error
        return context


_NUMBERS = {"partitions": int, "replicas": int, "retention_days": float, "patience_seconds": float}
_TEXTS = ("sync", "ca", "certificate", "key", "credentials")


def read_url(url: str) -> NatsOptions:
    """Several servers of a cluster are separated by commas. Raises: ConfigurationError for options it does not know."""
    base, _, query = url.partition("?")
    given: dict[str, object] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _NUMBERS and name not in _TEXTS:
            known = ", ".join(sorted((*_NUMBERS, *_TEXTS)))
            raise ConfigurationError(f'The broker\'s address {shown(url)} has an option "{name}"; there are {known}.')
        try:
            given[name] = _NUMBERS[name](value) if name in _NUMBERS else value
        except ValueError:
            raise ConfigurationError(
                f'The broker\'s address {shown(url)} has {name}="{value}", which is no number.'
            ) from None
    scheme = urlsplit(base).scheme or "nats"
    servers = tuple(one if "://" in one else f"{scheme}://{one}" for one in base.split(",") if one)
    return NatsOptions(servers=servers, shown=shown(url), **given)  # type: ignore[arg-type]  # checked by name above
