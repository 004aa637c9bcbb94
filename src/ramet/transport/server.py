"""Answering: listens on one address, lets peers in, and drains before it ends."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from ramet.clock import Clock
from ramet.errors import ConfigurationError, Denied, Unauthenticated
from ramet.tasks import Spawn, first_of
from ramet.transport.address import UnixAddress, parse_address
from ramet.transport.admission import Admission
from ramet.transport.allocator import keep_freed_memory
from ramet.transport.base import Peer, Serve, Vouch
from ramet.transport.compression import Compression, zstandard_if_installed
from ramet.transport.connection.answering import AnsweringConnection, RefusedError
from ramet.transport.listening import BACKLOG, listen, stop_accepting
from ramet.transport.options import TransportOptions
from ramet.transport.tls import server_context
from ramet.transport.wire.messages import VERSIONS, Hello, plain
from ramet.transport.wire.protocol import common_version

DEFAULTS = TransportOptions()


class Server:
    """Answers the calls of those whom `verify` lets in by their token, or of everybody where it is None.

    `verify` makes a `Peer` of a token, or raises Denied or Unauthenticated; it is asked once for each connection.
    `vouch` is asked for each call that speaks for a user; None believes whatever is said.
    """

    def __init__(
        self,
        answer: Serve,
        verify: Callable[[bytes], Peer] | None,
        vouch: Vouch | None = None,
        *,
        clock: Clock,
        spawn: Spawn,
        options: TransportOptions = DEFAULTS,
    ) -> None:
        self._answer = answer
        self._verify = verify
        self._vouch = vouch
        self._clock = clock
        self._spawn = spawn
        self._options = options
        self._connections: set[AnsweringConnection] = set()
        self._strangers: dict[AnsweringConnection, None] = {}
        self._listener: asyncio.Server | None = None
        self._socket_file: tuple[str, int | None] | None = None
        self._compression: Compression | None = None
        policy, hook = options.bulkhead, options.hook
        self._admission = None if policy is None else Admission(answer, clock=clock, policy=policy, hook=hook)
        self._admissions: dict[str, Admission] = {}
        for own, methods in options.bulkheads:
            self._admissions |= dict.fromkeys(methods, Admission(answer, clock=clock, policy=own, hook=hook))

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._connections)

    async def start(self, address: str) -> str:
        """Listen on unix:/path, tcp://host:port or tls://host:port; gives back the address with the port really used.

        Raises: ConfigurationError where the address cannot be had.
        """
        where, loop = parse_address(address), asyncio.get_running_loop()
        keep_freed_memory()
        if isinstance(where, UnixAddress):
            listener = listen_unix(where.path)
            self._socket_file = where.path, inode_of(where.path)
            self._listener = await loop.create_unix_server(self._accepted, sock=listener, backlog=BACKLOG)
            return address
        if self._options.compress_from_bytes is not None and (self._options.compress_loopback or not where.is_loopback):
            self._compression = zstandard_if_installed()
        context: ssl.SSLContext | None = server_context(self._options.tls) if where.is_secure else None
        listener = listen(where.host, where.port)
        self._listener = await loop.create_server(
            self._accepted,
            sock=listener,
            ssl=context,
            ssl_handshake_timeout=self._options.handshake_seconds if context is not None else None,
            backlog=BACKLOG,
        )
        return str(where._replace(port=listener.getsockname()[1]))

    async def drain(self, grace_seconds: float) -> bool:
        """Accept nobody more, tell the peers, finish what is in flight. True when all of it was, within the grace."""
        if self._listener is not None:
            await stop_accepting(self._listener)
        self._stop_listening()
        for connection in tuple(self._connections):
            connection.go_away()
        gone = [connection.lost for connection in self._connections]
        if gone:
            everybody = self._spawn(asyncio.wait(gone))
            await first_of((everybody,), self._clock.sleep(grace_seconds), self._spawn)
            everybody.cancel()
        return not any(connection.in_flight for connection in self._connections)

    async def close(self) -> None:
        """Disconnect everybody; what is still in flight is cancelled."""
        self._stop_listening()
        connections = tuple(self._connections)
        for connection in connections:
            connection.abort("this process has ended")
        for connection in connections:
            await connection.lost

    def _accepted(self) -> AnsweringConnection:
        connection = AnsweringConnection(
            self._answer,
            self._admit,
            self._compression,
            clock=self._clock,
            spawn=self._spawn,
            options=self._options,
        )
        connection.on_begun, connection.on_introduced = self._begun, self._introduced
        connection.vouch = self._vouch
        connection.admission_of = self._admission_of
        connection.lost.add_done_callback(lambda _: self._forget(connection))
        return connection

    def _admission_of(self, method: str) -> Admission | None:
        return self._admissions.get(method, self._admission)

    def _introduced(self, connection: AnsweringConnection) -> None:
        self._strangers.pop(connection, None)

    def _forget(self, connection: AnsweringConnection) -> None:
        self._connections.discard(connection)
        self._strangers.pop(connection, None)

    def _begun(self, connection: AnsweringConnection) -> None:
        """Those who say nothing take nobody's place: the one that has kept silent for longest makes room."""
        self._connections.add(connection)
        if len(self._strangers) >= self._options.strangers_limit:
            silent = next(iter(self._strangers))
            self._forget(silent)
            silent.abort("too many others came before it introduced itself")
        self._strangers[connection] = None
        if self._listener is None:
            connection.go_away()

    def _admit(self, hello: Hello) -> tuple[Peer, int]:
        """Who it is, and the version to speak. Raises: RefusedError with the reason."""
        version = common_version(hello)
        if version is None:
            theirs, ours = plain(", ".join(map(str, hello.versions))), ", ".join(map(str, VERSIONS))
            raise RefusedError(
                "unavailable", f"it speaks version {ours} of the protocol, and was spoken to in {theirs}."
            )
        if hello.application != self._options.application:
            raise RefusedError(
                "unavailable", f'it is part of "{self._options.application}", and not of "{plain(hello.application)}".'
            )
        if len(self._connections) - len(self._strangers) >= self._options.connections_limit:
            raise RefusedError("unavailable", f"it has {self._options.connections_limit} connections already.")
        try:
            peer = Peer(name=plain(hello.name) or "somebody") if self._verify is None else self._verify(hello.token)
        except (Denied, Unauthenticated) as error:
            raise RefusedError("denied", str(error)) from error
        return peer, version

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._socket_file is not None:
            path, inode = self._socket_file
            self._socket_file = None
            if inode_of(path) == inode:
                Path(path).unlink(missing_ok=True)


def listen_unix(path: str) -> socket.socket:
    """A listening socket that only this user can reach, in the place of one that nobody answers any more.

    Raises: ConfigurationError where somebody does, or the path cannot be had.
    """
    if _is_answered(path):
        raise ConfigurationError(f"{path} is answered by another process: stop that, or choose another path.")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fresh = Path(path).with_name(f".{os.getpid():x}")
    try:
        fresh.unlink(missing_ok=True)
        listener.bind(str(fresh))
        fresh.chmod(0o600)
        listener.listen(BACKLOG)
        fresh.rename(path)
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"{path} cannot be listened on: {error.strerror or error}.") from error
    listener.setblocking(False)  # noqa: FBT003 - its name in the standard library
    return listener


def inode_of(path: str) -> int | None:
    """Which file it is; None where there is none."""
    try:
        return Path(path).stat().st_ino
    except OSError:
        return None


def _is_answered(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # noqa: FBT003 - its name in the standard library
        return probe.connect_ex(path) in {0, errno.EAGAIN}
