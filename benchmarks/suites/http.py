"""Public APIs: JSON requests that one core answers, with a nested body and with path and query parameters."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from benchmarks.measure import Row, times_peer
from benchmarks.rounds import ROOT, Figures, Run, process, scratch

PEERS = {"starlette": "Starlette + msgspec", "litestar": "Litestar", "fastapi": "FastAPI"}
TARGETS = {"starlette": times_peer(0.9), "litestar": times_peer(1.0), "fastapi": times_peer(1.7)}
CONNECTIONS, SECONDS = 64, 2.0

ORDER = {
    "customer": "Ada Lovelace",
    "lines": [{"sku": f"chair-{n}", "quantity": n, "price": 49.5} for n in range(1, 4)],
    "address": {"street": "12 St James's Square", "city": "London", "code": "SW1Y", "country": "GB"},
    "gift": True,
}
GET = ("GET", "/api/products/chair?limit=5&detailed=true", None)
POST = ("POST", "/api/orders", ORDER)
WRONG = ("POST", "/api/orders", {**ORDER, "lines": [{"sku": "", "quantity": 0, "price": "much"}]})
Asked = tuple[str, str, Any]
KINDS: Mapping[str, Sequence[Asked]] = {"mixed": (POST, GET), "post": (POST,), "get": (GET,)}


def run(run: Run) -> Sequence[Row]:
    """All servers run with uvicorn, uvloop and httptools, pinned to one core; the load comes from another.

    Requests are counted for each second of the server's processor time, so that a busy machine takes nothing away.
    """
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_serving(name)) for name in ("ramet", *PEERS)}
        _check({name: server.url for name, server in servers.items()})
        seconds = SECONDS / 4 if run.quick else SECONDS
        for server in servers.values():
            server.load("mixed", 0.5)
        seen = run.interleave({name: lambda it=server: it.measure(seconds) for name, server in servers.items()})
    rows = [
        seen.row(
            "http_json_rps", "r/s", own=("ramet", "mixed"), peer=(peer, "mixed"), called=name, target=TARGETS[peer]
        )
        for peer, name in PEERS.items()
    ]
    for kind in ("post", "get"):
        rows += [
            seen.row(f"http_{kind}_rps", "r/s", own=("ramet", kind), peer=(peer, kind), called=name)
            for peer, name in PEERS.items()
        ]
    return rows


class Server:
    """One server process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._line()

    def measure(self, seconds: float) -> Figures:
        """Requests for each second of processor time, by kind."""
        return {kind: self.load(kind, seconds) for kind in KINDS}

    def load(self, kind: str, seconds: float) -> float:
        """Requests of one kind for each second of processor time."""
        before = self._used()
        requests = [_raw(asked) for asked in KINDS[kind]]
        load = process("http_load", core=0, url=self.url, requests=requests, connections=CONNECTIONS, seconds=seconds)
        return load()["answers"] / (self._used() - before)

    def _used(self) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the server ended with {self._process.wait(5)}: see above")
        return line


@contextmanager
def _serving(name: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch()) as folder:
        command = [
            sys.executable,
            "-m",
            f"benchmarks.contenders.http_{name}",
            json.dumps({"folder": folder, "core": 1}),
        ]
        started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield Server(started)
        finally:
            started.terminate()
            started.wait(10)


def _raw(asked: Asked) -> str:
    method, path, body = asked
    text = json.dumps(body) if body is not None else ""
    head = [f"{method} {path} HTTP/1.1", "host: localhost", "accept: application/json"]
    if text:
        head += ["content-type: application/json", f"content-length: {len(text)}"]
    return "\r\n".join([*head, "", text])


def _check(urls: Mapping[str, str]) -> None:
    """Everybody gives the same answers, and refuses what is wrong."""
    for asked in (POST, GET):
        answers = {name: _ask(url, asked) for name, url in urls.items()}
        if any(answer != answers["ramet"] for answer in answers.values()):
            raise RuntimeError(f"the answers to {asked[0]} {asked[1]} differ: {answers}")
    refusals = {name: _ask(url, WRONG)[0] for name, url in urls.items()}
    if not all(status in {400, 422} for status in refusals.values()):
        raise RuntimeError(f"a wrong body was not refused: {refusals}")


def _ask(url: str, asked: Asked) -> tuple[int, Any]:
    method, path, body = asked
    host = urlsplit(url)
    connection = HTTPConnection(str(host.hostname), host.port, timeout=10)
    connection.request(
        method, path, json.dumps(body) if body is not None else None, {"content-type": "application/json"}
    )
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found
