"""Starting the shop: on Ramet as one process and as ten, and its peers."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.processes import compiled
from benchmarks.rounds import ROOT, scratch

HERE = Path(__file__).parent
PEERS = ("ads", "cart", "checkout", "currency", "email", "payment", "productcatalog", "recommendation", "shipping")
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.005
ITEM = {"product_id": "OLJCESPC7Z", "quantity": 1}
ORDER = {
    "email": "ada@example.org",
    "street_address": "1 Analytical Avenue",
    "zip_code": 12345,
    "city": "Springfield",
    "state": "Oregon",
    "country": "United States",
    "credit_card_number": "4432801561520454",
    "credit_card_expiration_month": 1,
    "credit_card_expiration_year": 2100,
    "credit_card_cvv": 123,
}


class Shop:
    """One running shop: `roots` are the processes that were started here; they may have children."""

    def __init__(self, port: int, roots: Sequence[subprocess.Popen[bytes]]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._processes = roots
        self.roots = [process.pid for process in roots]

    def wait(self) -> None:
        """Until the home page is shown and an order was placed: with that every service has answered."""
        for method, path, body in (("GET", "/", None), ("POST", "/cart", ITEM), ("POST", "/cart/checkout", ORDER)):
            end = perf_counter() + PATIENCE_SECONDS
            while not self._answers(method, path, body):
                if perf_counter() > end or any(process.poll() is not None for process in self._processes):
                    raise RuntimeError(f"the shop does not answer {method} {path}: see above")
                sleep(POLL_SECONDS)

    def _answers(self, method: str, path: str, body: Mapping[str, object] | None) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        headers = {"cookie": "session=nobody", "content-type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            return connection.getresponse().status < 300
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def opened(kind: str) -> Iterator[Shop]:
    """A shop in processes and a folder of its own; `kind` is one, split, grpc or fastapi."""
    with tempfile.TemporaryDirectory(prefix="bb-", dir=scratch()) as given:
        folder, port = Path(given), free_port()
        shutil.copytree(HERE, folder / "b", ignore=shutil.ignore_patterns(".ramet", "__pycache__"))
        environment = {**compiled(ROOT / ".bench" / "bytecode"), "PYTHONPATH": str(folder / "b")}
        commands = _ramet(kind, port) if kind in _DEPLOYMENTS else _peers(kind, folder, port)
        started: list[subprocess.Popen[bytes]] = []
        try:
            for command in commands:
                whole = [sys.executable, "-m", *command]
                started.append(subprocess.Popen(whole, cwd=folder / "b", env=environment, stdout=subprocess.DEVNULL))
            yield Shop(port, started)
        finally:
            _end(started)


_DEPLOYMENTS: Mapping[str, str] = {"one": "local", "split": "split"}


def _ramet(kind: str, port: int) -> list[list[str]]:
    return [["ramet", "up", _DEPLOYMENTS[kind], "--no-reload", "--listen", f"127.0.0.1:{port}"]]


def _peers(kind: str, folder: Path, port: int) -> list[list[str]]:
    sockets = tempfile.mkdtemp(prefix="s-", dir=folder)
    return [["peers", kind, name, sockets, str(port)] for name in (*PEERS, "frontend")]


def _end(started: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
