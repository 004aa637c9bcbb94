"""Calls between two processes: Ramet's transport beside a bare echo, gRPC, HTTP and NATS."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.contenders.certificate import write_certificate
from benchmarks.measure import Row, Target, at_most, times_peer
from benchmarks.rounds import ROOT, Contender, Run, Samples, process
from ramet.testing.engines.nats import NatsEngine

SECONDS = 2.0
CONTENDERS: Mapping[str, tuple[str, str]] = {
    "ramet": ("ramet", "ramet"),
    "echo": ("echo", "echo"),
    "ramet_tcp": ("ramet_tcp", "ramet"),
    "ramet_tls": ("ramet_tls", "ramet"),
    "grpc": ("grpc", "grpc"),
    "aiohttp": ("fastapi", "aiohttp"),
    "httpx": ("fastapi", "httpx"),
    "nats": ("nats", "nats"),
}
"""Each with the kind of its server and the kind of its client."""

PEERS = {"grpc": "grpc.aio", "aiohttp": "FastAPI + aiohttp", "httpx": "FastAPI + httpx", "nats": "NATS request/reply"}
NEAR_ECHO = Target(limit=1.8, sense="≤", of="ratio")
TARGETS: Mapping[tuple[str, str], Target] = {
    ("rps_1", "grpc"): times_peer(5),
    ("rps_64", "grpc"): times_peer(25),
    ("rps_64", "aiohttp"): times_peer(25),
    ("rps_64", "httpx"): times_peer(100),
    ("large_rps", "grpc"): times_peer(4),
}


def run(run: Run) -> Sequence[Row]:
    """A server on one core, its caller on the other, one kind after the other in each round.

    Deadline and context travel with each call. The peers carry the same bytes without an encoding of their own, to
    their advantage; what NATS takes for its broker is not counted as its processor time.
    """
    seconds = SECONDS / 4 if run.quick else SECONDS
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bt-"))  # short: paths of sockets are
        write_certificate(Path(folder))
        broker = stack.enter_context(NatsEngine()).url
        kinds = {kind for kind, _ in CONTENDERS.values()}
        servers = {kind: stack.enter_context(_serving(kind, folder, broker)) for kind in kinds}

        def load(kind: str, client: str) -> Contender:
            address, server = servers[kind]
            return process(
                "transport_load",
                core=0,
                address=address,
                client=client,
                server=server,
                seconds=seconds,
                certified=folder,
            )

        seen = run.interleave({name: load(*sides) for name, sides in CONTENDERS.items()})
    return [*_against_echo(seen), *_against_peers(seen)]


def _against_echo(seen: Samples) -> list[Row]:
    own = [
        seen.row(
            "transport_p50", "µs", own=("ramet", "p50"), peer=("echo", "p50"), called="raw echo", target=NEAR_ECHO
        ),
        seen.row("transport_p99", "µs", own=("ramet", "p99"), peer=("echo", "p99"), called="raw echo"),
        seen.row("transport_cpu_64", "µs/call", own=("ramet", "cpu_64"), target=at_most(8)),
        seen.row("transport_tcp_p50", "µs", own=("ramet_tcp", "p50"), peer=("echo", "p50"), called="raw echo"),
    ]
    tls = seen.row(
        "transport_tls_rps_64",
        "calls/s",
        own=("ramet_tls", "rps_64"),
        peer=("grpc", "rps_64"),
        called="grpc.aio without TLS",
        target=times_peer(20),
    )
    return [*own, tls]


def _against_peers(seen: Samples) -> list[Row]:
    return [
        seen.row(
            f"transport_{figure}",
            "calls/s",
            own=("ramet", figure),
            peer=(peer, figure),
            called=name,
            target=TARGETS.get((figure, peer)),
        )
        for figure in ("rps_1", "rps_16", "rps_64", "large_rps")
        for peer, name in PEERS.items()
    ]


@contextmanager
def _serving(kind: str, folder: str, broker: str) -> Iterator[tuple[str, int]]:
    """A server of this kind: its address and its process."""
    asked = json.dumps({"folder": folder, "kind": kind, "broker": broker, "core": 1})
    command = [sys.executable, "-m", "benchmarks.contenders.transport_serve", asked]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        address = started.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"the server of {kind} ended with {started.wait(5)}: see above")
        yield address, started.pid
    finally:
        started.terminate()
        started.wait(10)
