"""Calls between two processes: Ramet's transport beside a bare echo, gRPC, HTTP and NATS."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.contenders.certificate import write_certificate
from benchmarks.measure import Row, Target, at_most, times_peer
from benchmarks.rounds import ROOT, Contender, Run, Samples, process
from ramet.testing.engines.nats import NatsEngine

SECONDS = 1.0
PINNED: Mapping[str, tuple[str, str]] = {
    "ramet": ("ramet", "ramet"),
    "ramet_contract": ("ramet_contract", "ramet_contract"),
    "echo": ("echo", "echo"),
    "bare": ("bare", "bare"),
    "ramet_tcp": ("ramet_tcp", "ramet"),
    "ramet_tls": ("ramet_tls", "ramet"),
    "grpc": ("grpc", "grpc"),
    "aiohttp": ("fastapi", "aiohttp"),
    "httpx": ("fastapi", "httpx"),
    "nats": ("nats", "nats"),
}
"""Each with the kind of its server and the kind of its client."""
FREE = ("ramet", "echo", "bare", "grpc", "aiohttp", "nats")
"""Those that are measured again where the system moves them between the cores as it likes."""

PEERS = {"grpc": "grpc.aio", "aiohttp": "FastAPI + aiohttp", "httpx": "FastAPI + httpx", "nats": "NATS request/reply"}
BARE = "bare frames"
NEAR_ECHO = Target(limit=1.8, sense="≤", of="ratio")
TARGETS: Mapping[tuple[str, str], Target] = {
    ("rps_1", "grpc"): times_peer(5),
    ("rps_64", "grpc"): times_peer(25),
    ("rps_64", "aiohttp"): times_peer(25),
    ("rps_64", "httpx"): times_peer(100),
    ("rps_lines", "grpc"): times_peer(4),
    ("rps_picture", "grpc"): times_peer(4),
}


def run(run: Run) -> Sequence[Row]:
    """A server and its caller, on a core each and then on any; one kind after the other in each round.

    Everybody encodes and decodes the same question and answer on both sides, as its users do: gRPC as Protocol Buffers,
    FastAPI as JSON of pydantic's models (a picture as it is), all others as MessagePack. Calls of Ramet go through an
    upstream with its policies and through admission, under a deadline, with context and key; `contract` is a call by a
    contract's client, to a method. Processor time is that of both sides, without what the load takes for itself; that
    of NATS's broker is told apart.
    """
    seconds = SECONDS / 4 if run.quick else SECONDS
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bt-"))  # short: paths of sockets are
        write_certificate(Path(folder))
        broker = stack.enter_context(NatsEngine())

        def contenders(names: Iterable[str], cores: tuple[int | None, int | None]) -> dict[str, Contender]:
            kinds = {PINNED[name][0] for name in names}
            servers = {kind: stack.enter_context(_serving(kind, folder, broker.url, cores[1])) for kind in kinds}
            return {
                name if cores[0] is not None else f"{name}_free": process(
                    "transport_load",
                    core=cores[0],
                    address=servers[PINNED[name][0]][0],
                    client=PINNED[name][1],
                    server=servers[PINNED[name][0]][1],
                    broker=broker.pid if name == "nats" else None,
                    seconds=seconds,
                    certified=folder,
                )
                for name in names
            }

        seen = run.interleave(contenders(PINNED, (0, 1)) | contenders(FREE, (None, None)))
    return [*_against_echo(seen), *_processors(seen), *_against_peers(seen), *_contract(seen), *_free(seen)]


def _against_echo(seen: Samples) -> list[Row]:
    tls = seen.row(
        "transport_tls_rps_64",
        "calls/s",
        own=("ramet_tls", "rps_64"),
        peer=("grpc", "rps_64"),
        called="grpc.aio without TLS",
        target=times_peer(20),
    )
    return [
        seen.row(
            "transport_p50", "µs", own=("ramet", "p50"), peer=("echo", "p50"), called="raw echo", target=NEAR_ECHO
        ),
        seen.row("transport_p99", "µs", own=("ramet", "p99"), peer=("echo", "p99"), called="raw echo"),
        seen.row("transport_tcp_p50", "µs", own=("ramet_tcp", "p50"), peer=("echo", "p50"), called="raw echo"),
        tls,
    ]


def _processors(seen: Samples) -> list[Row]:
    own = seen.row(
        "transport_cpu_64", "µs/call", own=("ramet", "cpu_64"), peer=("bare", "cpu_64"), called=BARE, target=at_most(8)
    )
    peers = [
        seen.row(f"transport_{figure}", "µs/call", own=("ramet", figure), peer=(peer, figure), called=name)
        for figure in ("cpu_64", "cpu_lines", "cpu_picture")
        for peer, name in PEERS.items()
    ]
    return [own, *peers, seen.row("nats_broker_cpu_64", "µs/call", own=("nats", "broker_64"))]


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
        for figure in ("rps_1", "rps_16", "rps_64", "rps_lines", "rps_picture")
        for peer, name in PEERS.items()
    ]


def _contract(seen: Samples) -> list[Row]:
    rates = [
        seen.row(
            f"contract_{figure}", "calls/s", own=("ramet_contract", figure), peer=("grpc", figure), called="grpc.aio"
        )
        for figure in ("rps_1", "rps_16", "rps_64", "rps_lines")
    ]
    cpu = seen.row("contract_cpu_64", "µs/call", own=("ramet_contract", "cpu_64"))
    near = seen.row("contract_p50", "µs", own=("ramet_contract", "p50"), peer=("echo", "p50"), called="raw echo")
    return [near, cpu, *rates]


def _free(seen: Samples) -> list[Row]:
    """Of those that are not pinned."""
    rates = [
        seen.row(
            f"unpinned_{figure}",
            "calls/s",
            own=("ramet_free", figure),
            peer=(f"{peer}_free", figure),
            called=PEERS[peer],
            target=TARGETS.get((figure, peer)),
        )
        for figure in ("rps_1", "rps_64", "rps_lines")
        for peer in FREE
        if peer in PEERS
    ]
    near = seen.row(
        "unpinned_p50", "µs", own=("ramet_free", "p50"), peer=("echo_free", "p50"), called="raw echo", target=NEAR_ECHO
    )
    own = seen.row(
        "unpinned_cpu_64",
        "µs/call",
        own=("ramet_free", "cpu_64"),
        peer=("bare_free", "cpu_64"),
        called=BARE,
        target=at_most(8),
    )
    return [near, own, *rates]


@contextmanager
def _serving(kind: str, folder: str, broker: str, core: int | None) -> Iterator[tuple[str, int]]:
    """A server of this kind: its address and its process."""
    asked = json.dumps({"folder": folder, "kind": kind, "broker": broker, "core": core})
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
