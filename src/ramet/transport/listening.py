"""Listening: one sentence where an address cannot be had, and nobody lost who was let in at the last moment."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from ramet.errors import ConfigurationError

BACKLOG = 2048
HIGHEST_PORT = 65535
_TICKS = 2
"""One until the loop's own tasks for whoever was let in have run, one for what these call soon."""


def listen(host: str, port: int, written: str = "") -> socket.socket:
    """A TCP socket that listens; `written` says where another address may be given, as in "in ramet.toml:7".

    Raises: ConfigurationError in one sentence when the address cannot be had.
    """
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
        raise ConfigurationError(_why_not(host, port, error, written)) from error
    listener.setblocking(False)  # noqa: FBT003 - its name in the standard library
    return listener


def listen_http(where: str, written: str = "") -> socket.socket:
    """The same for "host:port", of this machine alone where no host is named."""
    host, _, port = where.rpartition(":")
    return listen(host.strip("[]") or "127.0.0.1", int(port), written)


def url_of(listener: socket.socket) -> str:
    """Where it is reached over HTTP."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why_not(host: str, port: int, error: OSError, written: str) -> str:
    there = f" {written}" if written else ""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by {_holder(port)}: stop that, or choose another port{there}."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used without special rights: choose one above 1023{there}."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine: listen on 127.0.0.1, or on 0.0.0.0 for all of its addresses."
    return f"Port {port} of {host} cannot be used: {error.strerror}."


def _holder(port: int) -> str:
    """Who listens on a port, as far as Linux tells its own user."""
    plugs = {f"socket:[{inode}]" for inode in _listening(port)}
    found = set()
    for path in Path("/proc").glob("[0-9]*/fd/*") if plugs else ():
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            if str(path.readlink()) in plugs:
                found.add(int(path.parts[2]))
    with contextlib.suppress(OSError, ValueError):
        first = min(found)  # whose children may have inherited it
        return f"process {first} ({Path(f'/proc/{first}/comm').read_text(encoding='utf-8').strip()})"
    return "another program"


def _listening(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen on a port."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
                _, local, _, state, *_, inode = line.split()[:10]
                if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                    yield inode


async def stop_accepting(server: asyncio.Server) -> None:
    """Close a server of the running loop; its protocols have all been told of their connection when this returns.

    asyncio lets a connection in, and makes its transport in a task of its own, which fails where the server has been
    closed meanwhile: the connection would be dropped without a word. So nobody is let in first, and closed then.
    uvloop lets people in until it is closed, and tells the protocols of the last ones afterwards.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    await _let_run()
    server.close()
    await _let_run()


async def _let_run() -> None:
    for _ in range(_TICKS):
        await asyncio.sleep(0)
