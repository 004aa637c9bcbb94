"""The worker of brokers_celery: a task inserts a row, and says how long ago it was asked for."""

from __future__ import annotations

import os
import time

import psycopg
from celery import Celery

app = Celery("bench", broker=os.environ.get("BENCH_BROKER", ""))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=16,
    broker_connection_retry_on_startup=True,
)
ENTER = "INSERT INTO entries (order_id, amount) VALUES (%s, 1)"
NOTE = "INSERT INTO delays (seconds) VALUES (%s)"
_connections: dict[int, psycopg.Connection] = {}


def _connection() -> psycopg.Connection:
    """One for each process of the pool, which commits each statement."""
    own = os.getpid()
    if own not in _connections:
        _connections[own] = psycopg.connect(os.environ["BENCH_DATABASE"], autocommit=True)
    return _connections[own]


@app.task
def write(order: str, asked_at: float) -> None:
    """`asked_at`, on the clock that all processes share, is 0 where nobody wants to know the delay."""
    connection = _connection()
    connection.execute(ENTER, (order,))
    if asked_at:
        connection.execute(NOTE, (time.monotonic() - asked_at,))
