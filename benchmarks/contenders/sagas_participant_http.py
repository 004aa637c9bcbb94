"""One participant of DBOS's full workflows in a process of its own: FastAPI over a Unix socket, SQLAlchemy, asyncpg."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, Response
from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.contenders import arguments, participants
from benchmarks.contenders.http_server import announce


def application(engine: AsyncEngine, entries: Table) -> FastAPI:
    """Two operations, each one transaction; entering is idempotent, for a step may be repeated."""
    app = FastAPI()
    enter_once = insert(entries).on_conflict_do_nothing()

    @app.post("/enter/{order}/{amount}")
    async def enter(order: str, amount: int) -> Response:
        if amount < 0:
            return Response(status_code=409)
        async with engine.begin() as connection:
            await connection.execute(enter_once, {"order_id": order, "amount": amount})
        return Response()

    @app.post("/withdraw/{order}")
    async def withdraw(order: str) -> Response:
        async with engine.begin() as connection:
            await connection.execute(entries.update().where(entries.c.order_id == order).values(amount=0))
        return Response()

    return app


async def serve(folder: str, name: str, storage: str) -> None:
    """Its table is in a schema of its own."""
    url = make_url(storage).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=8, max_overflow=0)
    metadata = MetaData(schema=f"side_{name}")
    entries = participants.entries.to_metadata(metadata, schema=metadata.schema)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE SCHEMA {metadata.schema}")
        await connection.run_sync(metadata.create_all)
    path = f"{folder}/{name}.sock"
    options: dict[str, Any] = {"http": "httptools", "access_log": False, "log_level": "error"}
    server = uvicorn.Server(uvicorn.Config(application(engine, entries), uds=path, **options))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no other way to say so
        await asyncio.sleep(0.01)
    announce(path)
    await serving


if __name__ == "__main__":
    uvloop.run(serve(**arguments()))
