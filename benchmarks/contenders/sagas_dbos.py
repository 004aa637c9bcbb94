"""The same sagas as workflows of DBOS on SQLite.

Its database is set to write-ahead logging, which is faster for it than its default; every commit is synchronous=FULL as
it is with Ramet. Workflows and steps are synchronous functions in threads, which it runs faster than coroutines. An
undo is a step, too, since DBOS has no compensations of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from dbos import DBOS, SetWorkflowID
from sqlalchemy import Engine, create_engine, event

from benchmarks.contenders import contend, participants
from benchmarks.contenders.in_flight import names

engines: list[Engine] = []


class Refused(Exception):
    pass


@DBOS.step()
def trivial(passed: int) -> int:
    return passed + 1


@DBOS.workflow()
def bare(order: str) -> int:
    passed = 0
    for _ in range(4):
        passed = trivial(passed)
    return passed


@DBOS.step()
def enter(participant: int, order: str, amount: int) -> None:
    if amount < 0:
        raise Refused
    with engines[participant].begin() as connection:
        connection.execute(*participants.enter_once(order, amount))


@DBOS.step()
def withdraw(participant: int, order: str) -> None:
    with engines[participant].begin() as connection:
        connection.execute(*participants.withdraw(order))


@DBOS.workflow()
def full(order: str) -> None:
    for participant in range(4):
        enter(participant, order, 1)


@DBOS.workflow()
def refused(order: str) -> None:
    for participant in range(3):
        enter(participant, order, 1)
    try:
        enter(3, order, -1)
    except Refused:
        for participant in (2, 1, 0):
            withdraw(participant, order)


def _participant(path: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", pool_size=64)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=30000")

    participants.metadata.create_all(engine)
    return engine


def _launch(path: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    DBOS(
        config={
            "name": "bench-peer",
            "system_database_url": f"sqlite:///{path}",
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    _check_durability()


def _check_durability() -> None:
    from dbos._dbos import _get_dbos_instance

    with _get_dbos_instance()._sys_db.engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    if settings != ["wal", 2]:
        raise RuntimeError(f"DBOS runs with {settings} instead of write-ahead logging and synchronous=FULL")


def measure(folder: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """Workflows a second; `kind` is bare, full or refused."""
    workflow: Callable[[str], object] = {"bare": bare, "full": full, "refused": refused}[kind]

    def one(order: str) -> None:
        with SetWorkflowID(order):
            workflow(order)

    if kind != "bare":
        engines.extend(_participant(f"{folder}/{name}.sqlite") for name in participants.NAMES)
    _launch(f"{folder}/dbos.sqlite")
    try:
        with ThreadPoolExecutor(in_flight) as workers:
            list(workers.map(one, names("warm", in_flight)))
            started = perf_counter()
            list(workers.map(one, names("saga", count)))
            return {"per_second": count / (perf_counter() - started)}
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    contend(measure)
