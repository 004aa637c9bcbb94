"""Pure: how much the transport takes at a time, how long it waits, and what it protects itself with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.policy.moments import Hook, unreported

MEBIBYTE = 2**20
HANDSHAKE_LIMIT_BYTES = 65_536
"""The most that somebody may send of whom nothing is known yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Files in PEM: the own certificate with its key, and the authority that the other side's must come from.

    A server with an `authority` lets nobody in without a certificate of it. A client without one trusts the system's
    authorities. `server_name` is what the server's certificate must be for; "": the host of the address.
    """

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None
    server_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransportOptions:
    """One side of a connection.

    `application` must be the same on both sides; `name` is who this process is in the log of the other. A frame holds
    at most `frame_limit_bytes`; a server has at most `calls_limit` calls of a connection in flight, whose requests have
    `calls_limit_bytes` together, and refuses more with Overloaded; it takes `connections_limit` connections, and
    besides them `strangers_limit` that have not introduced themselves yet, for which they have `handshake_seconds`.
    `bulkhead` bounds what a server answers at a time on all of them together; None: nothing does. Those of `bulkheads`
    stand in its place for the methods ("contract.method") that share each. `hook` is told of the calls they refuse.

    A peer that has said nothing for `ping_after_seconds` (for `ping_idle_seconds` while nothing is in flight) is asked
    whether it is there, and counts as dead after `dead_after_seconds`. Two clocks that are less than `skew_seconds`
    apart are taken for one. Replies and requests are collected up to `flush_bytes` before they are written. Bodies from
    `compress_from_bytes` are compressed on TCP links that leave the machine; None: never. `compress_loopback` is for
    links that look local and are not, such as tunnels.
    """

    application: str = ""
    name: str = ""
    frame_limit_bytes: int = 16 * MEBIBYTE
    calls_limit: int = 1024
    calls_limit_bytes: int = 64 * MEBIBYTE
    connections_limit: int = 4096
    strangers_limit: int = 256
    bulkhead: Bulkhead | None = None
    bulkheads: tuple[tuple[Bulkhead, tuple[str, ...]], ...] = ()
    hook: Hook = unreported
    connect_seconds: float = 2.0
    handshake_seconds: float = 5.0
    ping_after_seconds: float = 1.0
    ping_idle_seconds: float = 5.0
    dead_after_seconds: float = 5.0
    skew_seconds: float = 0.05
    flush_bytes: int = 4096
    compress_from_bytes: int | None = 10_000
    compress_loopback: bool = False
    tls: Tls | None = None
