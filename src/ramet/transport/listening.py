"""Listening sockets, and one sentence where an address cannot be had."""

from __future__ import annotations

import errno
import socket

from ramet.errors import ConfigurationError

BACKLOG = 2048
HIGHEST_PORT = 65535


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that listens. Raises: ConfigurationError in one sentence when the address cannot be had."""
    if not 0 <= port <= HIGHEST_PORT:
        raise ConfigurationError(f"{port} is no port: choose one from 1024 to {HIGHEST_PORT}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f'"{host}" is not an address of this machine: {error.strerror or error}.') from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_why_not(host, port, error)) from error
    listener.setblocking(False)  # noqa: FBT003 - its name in the standard library
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program: stop that, or choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used without special rights: choose one above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: listen on 127.0.0.1, or on 0.0.0.0 for all of its addresses."
    return f"Port {port} of {host} cannot be used: {error.strerror}."
