"""Dialling: connects to a replica, shakes hands, and gives back a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ramet.clock import Clock
from ramet.errors import Unavailable
from ramet.tasks import Spawn
from ramet.transport.address import TcpAddress, UnixAddress, parse_address
from ramet.transport.allocator import keep_freed_memory
from ramet.transport.base import Channel, Endpoint
from ramet.transport.compression import Compression, zstandard_if_installed
from ramet.transport.connection.calling import CallingConnection
from ramet.transport.options import TransportOptions
from ramet.transport.tls import client_context
from ramet.transport.wire.protocol import CallerWire

DEFAULTS = TransportOptions()


async def dial(
    endpoint: Endpoint,
    *,
    token: Callable[[], bytes] | None,
    clock: Clock,
    spawn: Spawn,
    options: TransportOptions = DEFAULTS,
) -> Channel:
    """Connect to a replica and shake hands; `token` makes what proves who this process is.

    Raises: Unavailable with the address; Denied where it is not let in; ConfigurationError where the address is none.
    """
    address = parse_address(endpoint.address)
    keep_freed_memory()
    wire = CallerWire(options.frame_limit_bytes, _compression(address, options), options.compress_from_bytes or 0)
    proof = token() if token is not None else b""
    connection = CallingConnection(wire, proof, endpoint.address, clock=clock, spawn=spawn, options=options)
    try:
        async with asyncio.timeout(options.connect_seconds):
            await _connect(connection, address, options)
            await connection.welcome
    except (OSError, TimeoutError) as error:
        connection.give_up()
        why = "it did not answer in time" if isinstance(error, TimeoutError) else str(error)
        raise Unavailable(f"{endpoint.address} cannot be reached: {why}.") from error
    except BaseException:
        connection.give_up()
        raise
    return connection


def _compression(address: UnixAddress | TcpAddress, options: TransportOptions) -> Compression | None:
    """Only where bytes travel slower than they are compressed."""
    if options.compress_from_bytes is None or isinstance(address, UnixAddress):
        return None
    return zstandard_if_installed() if options.compress_loopback or not address.is_loopback else None


async def _connect(connection: CallingConnection, address: UnixAddress | TcpAddress, options: TransportOptions) -> None:
    loop = asyncio.get_running_loop()
    if isinstance(address, UnixAddress):
        await loop.create_unix_connection(lambda: connection, address.path)
    elif address.is_secure:
        name = (options.tls.server_name if options.tls is not None else "") or address.host
        context = client_context(options.tls)
        await loop.create_connection(lambda: connection, address.host, address.port, ssl=context, server_hostname=name)
    else:
        await loop.create_connection(lambda: connection, address.host, address.port)
