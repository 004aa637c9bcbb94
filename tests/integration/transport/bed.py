"""A server and its callers over real sockets, and certificates for those that want some."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ramet.clock import SystemClock, Timer
from ramet.tasks import Tasks
from ramet.telemetry.context import Context
from ramet.transport.base import Call, Endpoint, Peer
from ramet.transport.client import dial
from ramet.transport.connection.calling import CallingConnection
from ramet.transport.options import Tls, TransportOptions
from ramet.transport.server import Server

KINDS = ("unix", "tcp", "tls")


class Shop:
    """What is called: each method of it answers calls of "shop.<its name>"."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()
        self.gate = asyncio.Event()
        self.seen: list[Call] = []
        self.peers: set[str] = set()

    async def __call__(self, call: Call, peer: Peer) -> bytes:
        self.seen.append(call)
        self.peers.add(peer.name)
        answer: Callable[[Call], Awaitable[bytes]] = getattr(self, call.method.rpartition(".")[2])
        return await answer(call)

    async def echo(self, call: Call) -> bytes:
        return call.arguments

    async def large(self, call: Call) -> bytes:
        return b"x" * int(call.arguments)

    async def wait(self, call: Call) -> bytes:
        self.arrived.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return call.arguments

    async def turn(self, call: Call) -> bytes:
        await asyncio.sleep(0)
        return call.arguments

    async def later(self, call: Call) -> bytes:
        await asyncio.sleep(0)
        return call.arguments

    async def fail(self, call: Call) -> bytes:
        raise ValueError("a defect")

    async def leave(self, call: Call) -> bytes:
        raise SystemExit(3)

    async def give_up(self, call: Call) -> bytes:
        raise asyncio.CancelledError


class Patient(SystemClock):
    """The clock of one side that keeps no deadlines, so that the other one's are seen."""

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        return super().call_later(1000.0, call)


class Bed:
    """Starts, dials, and ends everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.patient = Patient()
        self.tasks = Tasks()
        self.shop = Shop()
        self.options = TransportOptions(application="shop", name="orders-0")
        self.servers: list[Server] = []
        self.address = ""

    async def start(
        self,
        kind: str = "unix",
        *,
        verify: Callable[[bytes], Peer] | None = None,
        clock: SystemClock | None = None,
        **options: Any,
    ) -> Server:
        """A server of this kind; its address is `address` from now on."""
        wanted = {"unix": f"unix:{self.folder}/s", "tcp": "tcp://127.0.0.1:0", "tls": "tls://127.0.0.1:0"}[kind]
        if kind == "tls" and "tls" not in options:
            authority = Authority(self.folder)
            self.options = replace(self.options, tls=authority.certified("both"))
        server = Server(
            self.shop,
            verify,
            clock=clock or self.clock,
            spawn=self.tasks.spawn,
            options=replace(self.options, **options),
        )
        self.servers.append(server)
        self.address = await server.start(wanted)
        return server

    async def dial(
        self, *, token: bytes | None = None, clock: SystemClock | None = None, **options: Any
    ) -> CallingConnection:
        channel = await dial(
            Endpoint(address=self.address, group="shop"),
            token=None if token is None else lambda: token,
            clock=clock or self.clock,
            spawn=self.tasks.spawn,
            options=replace(self.options, **options),
        )
        assert isinstance(channel, CallingConnection)
        return channel

    def call(self, method: str, arguments: bytes = b"", *, seconds: float = 30.0, key: str | None = None) -> Call:
        context = Context.root(self.clock.id(), deadline=self.clock.monotonic() + seconds)
        return Call(f"shop.{method}", arguments, context, key)

    async def end(self) -> None:
        for server in self.servers:
            await server.close()
        await self.tasks.stop()


async def until(condition: Callable[[], object]) -> None:
    """Let everything else run until this holds."""
    while not condition():  # noqa: ASYNC110 - there is no event for what is looked at
        await asyncio.sleep(0)


class Authority:
    """A certificate authority of one test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed(name, self._key, authority=True)
        (folder / f"{name}.pem").write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def certified(self, name: str) -> Tls:
        """A certificate for loopback with its key, and this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key, authority=False)
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Tls(
            certificate=self.folder / f"{name}.crt",
            key=self.folder / f"{name}.key",
            authority=self.folder / f"{self.name}.pem",
        )

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256())
