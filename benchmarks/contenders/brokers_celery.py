"""Celery on Redis that syncs each command: tasks acknowledged late, each of which inserts a row on PostgreSQL.

It has no outbox and no inbox: a crash between the commit and `delay` loses the task, and a redelivery inserts again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import psycopg

from benchmarks.contenders import contend
from benchmarks.contenders.databases import new_database
from benchmarks.contenders.in_flight import names
from benchmarks.rounds import ROOT
from ramet.testing.engines.redis import RedisEngine

PUBLISHERS, PROCESSES, WARM = 4, 2, 20
MODULE = "benchmarks.contenders.brokers_celery_worker"
TABLES = """
CREATE TABLE entries (order_id TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE delays (seconds DOUBLE PRECISION NOT NULL);
"""


@contextmanager
def worker() -> Iterator[None]:
    """A worker with as many processes as the machine has cores."""
    options = ["--pool=prefork", f"--concurrency={PROCESSES}", "--loglevel=ERROR", "--without-gossip"]
    command = [sys.executable, "-m", "celery", "-A", MODULE, "worker", *options, "--without-mingle"]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        started.terminate()
        started.wait(30)


def wait_for(connection: psycopg.Connection, table: str, count: int) -> None:
    """Until there are so many rows."""
    while connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() != (count,):
        time.sleep(0.02)


def figures(connection: psycopg.Connection, count: int, paced: int, per_second: int) -> dict[str, float]:
    """Handled a second; the delays from when a task was in Redis, at a given rate."""
    from benchmarks.contenders.brokers_celery_worker import write

    for name in names("warm", WARM):
        write.delay(name, 0.0)
    wait_for(connection, "entries", WARM)
    started = time.monotonic()
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        list(pool.map(lambda name: write.delay(name, 0.0), names("many", count)))
    wait_for(connection, "entries", WARM + count)
    handled = count / (time.monotonic() - started)
    for name in names("paced", paced):
        write.delay(name, time.monotonic())
        time.sleep(1 / per_second)
    wait_for(connection, "delays", paced)
    delays = [seconds for (seconds,) in connection.execute("SELECT seconds FROM delays").fetchall()]
    cuts = quantiles(delays, n=100)
    return {"handled": handled, "p50": cuts[49] * 1000, "p99": cuts[98] * 1000}


def measure(folder: str, server: str, count: int, paced: int, per_second: int) -> dict[str, float]:
    """`count` tasks as fast as they go, and `paced` at a rate."""
    database = new_database(server)
    with (
        RedisEngine(Path(folder) / "redis") as redis,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        connection.execute(TABLES)
        os.environ.update(BENCH_BROKER=redis.url, BENCH_DATABASE=database)
        with worker():
            return figures(connection, count, paced, per_second)


if __name__ == "__main__":
    contend(measure)
