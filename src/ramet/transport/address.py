"""Pure: addresses as text: unix:/path, tcp://host:port, tls://host:port."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from ramet.errors import ConfigurationError

LONGEST_PATH_BYTES = 107
"""Of a Unix socket, by the system's own limit on Linux."""


class UnixAddress(NamedTuple):
    """A socket in the file system of this host."""

    path: str


class TcpAddress(NamedTuple):
    """A port of a host; encrypted where `is_secure`."""

    host: str
    port: int
    is_secure: bool

    @property
    def is_loopback(self) -> bool:
        """Never leaves the machine."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.is_secure else 'tcp'}://{host}:{self.port}"


def parse_address(text: str) -> UnixAddress | TcpAddress:
    """Raises: ConfigurationError with what is wrong and what an address looks like."""
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest:
        return _unix(rest)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f'"{text}" is no address: {error}.') from error
    if kind not in {"tcp", "tls"} or not host or port is None or parts.path or parts.query:
        raise ConfigurationError(f'"{text}" is no address: write unix:/path, tcp://host:port or tls://host:port.')
    return TcpAddress(host, port, kind == "tls")


def _unix(path: str) -> UnixAddress:
    if len(path.encode()) > LONGEST_PATH_BYTES:
        raise ConfigurationError(
            f'The path of the socket "{path}" is longer than the {LONGEST_PATH_BYTES} bytes that systems allow: '
            f"choose a folder nearer to the root."
        )
    return UnixAddress(path)
