"""A generated application of so many services, run by `ramet up`: its start, its memory, the time of an answer."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from time import perf_counter, sleep

from benchmarks.boutique.systems import free_port
from benchmarks.contenders import contend
from benchmarks.processes import compiled, family, memory_megabytes, used_seconds
from benchmarks.rounds import ROOT

PATIENCE_SECONDS = 240
SERVICE = """
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from ramet import Contract, Database, command, query


class Store{n}(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str) -> int: ...

    @command
    async def put(self, sku: str, amount: int) -> None: ...


stock = Table("stock", MetaData(), Column("id", Integer, primary_key=True), Column("sku", String, index=True),
              Column("amount", Integer))


class Store{n}Service(Store{n}, tables=stock.metadata):
    db: Database

    async def level(self, sku: str) -> int:
        found = await self.db.execute(select(stock.c.amount).where(stock.c.sku == sku))
        return sum(found.scalars())

    async def put(self, sku: str, amount: int) -> None:
        await self.db.execute(insert(stock), {{"sku": sku, "amount": amount}})
"""
API = """
from ramet import Api, get, post
{imports}


class Front(Api, version="1.0.0"):
{needs}

    @get("/stores/{{number}}/{{sku}}")
    async def level(self, number: int, sku: str) -> int:
        return await getattr(self, f"store{{number}}").level(sku)

    @post("/stores/{{number}}/{{sku}}")
    async def put(self, number: int, sku: str) -> None:
        await getattr(self, f"store{{number}}").put(sku, 1)
"""


def generate(folder: Path, services: int) -> None:
    """Modules and ramet.toml; in the deployment `split` every service is a process group."""
    package = folder / "grown"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    numbers = range(services)
    for n in numbers:
        (package / f"store{n}.py").write_text(SERVICE.format(n=n))
    imports = "\n".join(f"from grown.store{n} import Store{n}" for n in numbers)
    needs = "\n".join(f"    store{n}: Store{n}" for n in numbers)
    (package / "front.py").write_text(API.format(imports=imports, needs=needs))
    groups = [f'[deployment.split.process.p{n}]\nservices = ["store{n}"]\n' for n in numbers]
    groups.append('[deployment.split.process.front]\nservices = ["front"]\n')
    head = '[application]\nname = "grown"\nservices = ["grown"]\n[deployment.local]\n[deployment.split]\n'
    (folder / "ramet.toml").write_text(head + "\n".join(groups))


@contextmanager
def running(folder: Path, deployment: str, port: int) -> Iterator[int]:
    """`ramet up`; gives its process."""
    command = [sys.executable, "-m", "ramet", "up", deployment, "--no-reload", "--listen", f"127.0.0.1:{port}"]
    environment = compiled(ROOT / ".bench" / "bytecode")
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def ask(port: int, method: str, path: str) -> bool:
    """Whether the answer was a good one, over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status < 300
    except OSError:
        return False
    finally:
        connection.close()


def wait_for_all(port: int, services: int) -> None:
    """Until every service has answered."""
    end = perf_counter() + PATIENCE_SECONDS
    for number in range(services):
        while not ask(port, "GET", f"/stores/{number}/tea"):
            if perf_counter() > end:
                raise RuntimeError(f"store {number} does not answer")
            sleep(0.02)


def times(port: int, services: int, method: str, count: int) -> list[float]:
    """Seconds of one request after the other, each to a service drawn by lot."""
    chance, taken = random.Random(1), []
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(count):
        path = f"/stores/{chance.randrange(services)}/tea"
        began = perf_counter()
        connection.request(method, path)
        connection.getresponse().read()
        taken.append(perf_counter() - began)
    connection.close()
    return taken


def measure(folder: str, deployment: str, services: int, count: int) -> dict[str, float]:
    """`deployment` is local (one process) or split (a process for each service, and one in front)."""
    home, port = Path(folder) / "a", free_port()
    generate(home, services)
    began = perf_counter()
    with running(home, deployment, port) as root:
        wait_for_all(port, services)
        ready = perf_counter() - began
        times(port, services, "GET", max(100, 3 * services))
        reads, writes = times(port, services, "GET", count), times(port, services, "POST", count)
        processes = family([root])
        used = used_seconds(processes)
        sleep(1)
        idle = used_seconds(processes) - used
        memory = memory_megabytes(processes)["pss"]
    points = quantiles(reads, n=100)
    return {
        "ready": ready,
        "pss": memory,
        "idle": idle * 1000,
        "query_p50": points[49] * 1000,
        "query_p99": points[98] * 1000,
        "command_p50": quantiles(writes, n=100)[49] * 1000,
    }


if __name__ == "__main__":
    contend(measure)
