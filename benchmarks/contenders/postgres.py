"""Transactions on PostgreSQL: Ramet's units and rows, SQLAlchemy with asyncpg, and asyncpg alone, on one server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import uvloop
from sqlalchemy import Column, MetaData, String, Table, insert
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.contenders import contend
from benchmarks.contenders.in_flight import keep_in_flight, names
from ramet.storage.base import Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer

NOTE = Table("note", MetaData(), Column("key", String, primary_key=True))
TABLES = ("CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY)",)
MARK = "INSERT INTO note (key) VALUES (?)"
INBOX = "INSERT INTO ramet_inbox (consumer, key, answer, at) VALUES (?, ?, ?, ?)"
CONNECTIONS = 8

Work = Callable[[str], Awaitable[Any]]


def works(storages: dict[str, PostgresStorage], engine: Any, pool: asyncpg.Pool) -> dict[str, Work]:
    """One transaction of each kind; the key is new every time."""

    def unit(storage: PostgresStorage, *, recording: bool) -> Work:
        async def work(key: str) -> None:
            unit = storage.unit()
            await unit.run(insert(NOTE), {"key": key})
            if recording:
                unit.defer(Write(INBOX, [("bench", key, b"a", 1.0)]))
            await unit.commit()

        return work

    async def rows(key: str) -> None:
        await storages["serializable"].write(Write(MARK, [(key,)]))

    async def sqlalchemy(key: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(insert(NOTE), {"key": key})

    async def raw(key: str) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO note (key) VALUES ($1)", key)

    return {
        "unit": unit(storages["serializable"], recording=False),
        "repeatable_read": unit(storages["repeatable read"], recording=False),
        "recorded": unit(storages["serializable"], recording=True),
        "rows": rows,
        "sqlalchemy": sqlalchemy,
        "raw": raw,
    }


async def figures(server: PostgresServer, count: int, chunks: int, in_flight: int) -> dict[str, float]:
    """Microseconds of one transaction at a time, and transactions a second of many; all kinds take turns."""
    storages = {
        isolation: PostgresStorage("bench", f"{server.url}/postgres", PostgresOptions(isolation=isolation))
        for isolation in ("serializable", "repeatable read")
    }
    for storage in storages.values():
        await storage.open((*SCHEMA, *TABLES))
    where = {"server_settings": {"search_path": "bench"}}
    url = URL.create("postgresql+asyncpg", server.user, server.password, "127.0.0.1", server.port, "postgres")
    engine = create_async_engine(url, connect_args=where, pool_size=CONNECTIONS, max_overflow=0)
    async with asyncpg.create_pool(f"{server.url}/postgres", min_size=1, max_size=CONNECTIONS, **where) as pool:
        kinds = works(storages, engine, pool)
        quick: dict[str, list[float]] = {kind: [] for kind in kinds}
        rates: dict[str, list[float]] = {kind: [] for kind in kinds}
        for chunk in range(-1, chunks):
            for kind, work in kinds.items():
                alone = [await _timed(work, key) for key in names(f"{kind}-one-{chunk}", count // 5)]
                rate = count / await keep_in_flight(names(f"{kind}-{chunk}", count), in_flight, work)
                if chunk >= 0:
                    quick[kind].append(median(alone))
                    rates[kind].append(rate)
    await engine.dispose()
    for storage in storages.values():
        await storage.close()
    return {**_medians("us", quick), **_medians("rate", rates)}


async def _timed(work: Work, key: str) -> float:
    started = perf_counter()
    await work(key)
    return (perf_counter() - started) * 1e6


def _medians(unit: str, found: dict[str, Sequence[float]] | dict[str, list[float]]) -> dict[str, float]:
    return {f"{kind}_{unit}": median(values) for kind, values in found.items()}


def measure(folder: str, count: int, chunks: int, in_flight: int) -> dict[str, float]:
    """Latencies and rates of every kind."""
    with PostgresServer() as server:
        return uvloop.run(figures(server, count, chunks, in_flight))


if __name__ == "__main__":
    contend(measure)
