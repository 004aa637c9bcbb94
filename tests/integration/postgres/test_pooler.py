"""PgBouncer in between: a connection for each client is as good as none; one for each transaction is refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy import text

from ramet.errors import EffectInQuery, StorageError
from ramet.storage.base import Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.base import free_port
from ramet.testing.engines.postgres import PostgresServer

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.needs("pgbouncer")]

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
MARK = "INSERT INTO mark (key) VALUES (?)"
IGNORED = "extra_float_digits, search_path, synchronous_commit, jit, client_min_messages, default_transaction_isolation"
IGNORED += ", default_transaction_read_only, idle_in_transaction_session_timeout"
numbers = count()


@asynccontextmanager
async def pooler(server: PostgresServer, mode: str, ignored: str) -> AsyncIterator[str]:
    """The URL of the database behind a PgBouncer."""
    folder, port = Path(mkdtemp(prefix="ramet-pooler-", dir="/tmp")), free_port()
    (folder / "users").write_text(f'"{server.user}" "{server.password}"\n')
    (folder / "ini").write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {folder}/users\npool_mode = {mode}\n"
        f"default_pool_size = 40\nlogfile = {folder}/log\n"
        + (f"ignore_startup_parameters = {ignored}\n" if ignored else "")
    )
    command = ["pgbouncer", str(folder / "ini")]
    if os.geteuid() == 0:
        command[1:1] = ["-u", "nobody"]
        for path in (folder, folder / "users", folder / "ini"):
            shutil.chown(path, "nobody")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - it ends with the block
    try:
        while process.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0)
            else:
                writer.close()
                break
        yield f"postgresql://{server.user}:{server.password}@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


@pytest.mark.parametrize("ignored", ["", IGNORED])
async def test_with_a_connection_for_each_client_everything_works(server: PostgresServer, ignored: str) -> None:
    async with pooler(server, "session", ignored) as url:
        name = f"pooled_{next(numbers)}"
        storage, other = (PostgresStorage(name, url, PostgresOptions(connect_seconds=5)) for _ in range(2))
        await storage.open((*SCHEMA, *TABLES))
        await other.open(())

        async def mark(key: str) -> None:
            unit = storage.unit()
            await unit.run(text(f"INSERT INTO mark VALUES ('{key}')"))
            unit.defer(Write(MARK, [(f"{key} event",)]))
            await unit.commit()

        await asyncio.gather(*(mark(str(number)) for number in range(30)))
        assert await storage.fetch("SELECT count(*) FROM mark") == [(60,)]
        with pytest.raises(EffectInQuery):
            await storage.read(text("INSERT INTO mark VALUES ('query')"))
        unit = storage.unit()
        isolation = await unit.read(text("SELECT current_setting('transaction_isolation')"))
        assert isolation.scalar_one() == "serializable"
        await unit.rollback()
        heard = asyncio.Event()
        other.listen("outbox", heard.set)
        while not heard.is_set():
            storage.notify("outbox")
            await asyncio.sleep(0)
        cancelled = storage.unit()
        waiting = asyncio.ensure_future(cancelled.run(text("SELECT pg_sleep(60)")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        await cancelled.rollback()
        await mark("after")
        await storage.close()
        await other.close()
    direct = PostgresStorage(f"pooled_{next(numbers)}", f"{server.url}/postgres")
    await direct.open(())
    assert await direct.fetch("SELECT schemaname FROM pg_tables WHERE tablename = 'mark' AND schemaname = ?", name)
    assert not await direct.fetch("SELECT 1 FROM pg_tables WHERE tablename = 'mark' AND schemaname = 'public'")
    await direct.close()


@pytest.mark.parametrize("ignored", ["", IGNORED])
async def test_with_a_connection_for_each_transaction_it_is_refused(server: PostgresServer, ignored: str) -> None:
    async with pooler(server, "transaction", ignored) as url:
        storage = PostgresStorage(f"pooled_{next(numbers)}", url, PostgresOptions(connect_seconds=5))
        with pytest.raises(StorageError, match=r"a pooler that gives each transaction another .*pool_mode = session"):
            await storage.open((*SCHEMA, *TABLES))
