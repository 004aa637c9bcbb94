"""DBOS on SQLite, and the participants of its workflows.

Its database is set to write-ahead logging, which is twice as fast for it as its default; every commit is
synchronous=FULL, as it is with Ramet.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from dbos import DBOS
from dbos._dbos import _get_dbos_instance
from sqlalchemy import Engine, create_engine, event

from benchmarks.contenders import participants

_engines: list[Engine] = []


class Refused(Exception):
    """What step four says in the sagas that are refused."""


def enter(participant: int, order: str, amount: int) -> None:
    """What a step does."""
    if amount < 0:
        raise Refused
    with _engines[participant].begin() as connection:
        connection.execute(*participants.enter_once(order, amount))


def withdraw(participant: int, order: str) -> None:
    """What an undo does; DBOS has no compensations of its own, so that it is a step, too."""
    with _engines[participant].begin() as connection:
        connection.execute(*participants.withdraw(order))


def launch(folder: str) -> None:
    """Start DBOS and create the participants' databases; workflows are declared by then."""
    _engines.extend(_participant(f"{folder}/{name}.sqlite") for name in participants.NAMES)
    path = f"{folder}/dbos.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    url = f"sqlite:///{path}"
    DBOS(config={"name": "bench-peer", "system_database_url": url, "run_admin_server": False, "log_level": "ERROR"})
    DBOS.launch()
    _check_durability(_get_dbos_instance()._sys_db.engine)


def _participant(path: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", pool_size=64)
    event.listen(engine, "connect", _connected)
    participants.metadata.create_all(engine)
    _check_durability(engine)
    return engine


def _connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=30000")


def _check_durability(engine: Engine) -> None:
    with engine.connect() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    if settings != ["wal", 2]:
        raise RuntimeError(f"{engine.url} runs with {settings} instead of write-ahead logging and synchronous=FULL")
