"""However the server is reached: by TLS, IPv6 or a Unix socket, with any password; what is wrong is one sentence."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, StorageError, StorageUnavailable
from ramet.identity.certificates import Authority
from ramet.storage.address import Address, address
from ramet.storage.base import Write
from ramet.storage.postgres.options import PostgresOptions
from ramet.storage.postgres.storage import PostgresStorage
from ramet.testing.engines.postgres import PostgresServer
from tests.servers import postgres_of_the_system

pytestmark = pytest.mark.needs("postgresql")

TABLES = ("CREATE TABLE IF NOT EXISTS mark (key TEXT PRIMARY KEY)",)
numbers = count()


class Secured(NamedTuple):
    """A server with TLS, and the authorities: its own and one that has nothing to do with it."""

    server: PostgresServer
    authority: Path
    stranger: Path


class Debians(PostgresServer):
    """The server of the system: the one from the wheel was built without TLS."""

    @property
    def _bin(self) -> Path:
        found = postgres_of_the_system()
        assert found is not None
        return found


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def served(parts: Sequence[Path], folder: Path) -> list[Path]:
    """Copies that the account of the server may read, and nobody else."""
    copies = []
    for part in parts:
        copy = folder / part.name
        shutil.copy(part, copy)
        copy.chmod(0o600)
        owner = folder.stat()
        if os.geteuid() == 0:
            os.chown(copy, owner.st_uid, owner.st_gid)
        copies.append(copy)
    return copies


@pytest.fixture(scope="module")
def plain() -> Iterator[PostgresServer]:
    with PostgresServer(settings={"listen_addresses": "127.0.0.1, ::1"} if has_ipv6() else {}) as server:
        yield server


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    ours, theirs = (Authority(tmp_path_factory.mktemp(name), clock=SystemClock()) for name in ("ours", "theirs"))
    trusted, stranger = ours.make("ours"), theirs.make("theirs")
    issued = ours.issue("db", ["127.0.0.1"])
    with Debians() as server:
        folder = Path(server.socket_folder or "").parent
        certificate, key = served((issued.certificate, issued.key), folder)
        server.stop()
        settings = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
        server._settings |= settings  # type: ignore[operator]  # a Mapping
        server.start()
        yield Secured(server, trusted.certificate, stranger.certificate)


async def works(url: str) -> None:
    storage = PostgresStorage(f"reached_{next(numbers)}", url, PostgresOptions(connect_seconds=5))
    await storage.open(TABLES)
    await storage.write(Write("INSERT INTO mark (key) VALUES (?)", [("a",)]))
    assert await storage.fetch("SELECT key FROM mark") == [("a",)]
    await storage.close()


async def refused(url: str) -> str:
    """What is said where it cannot be opened; nobody waits for it to become better."""
    with pytest.raises(StorageError) as caught:
        await PostgresStorage("reached", url, PostgresOptions(connect_seconds=60)).open(TABLES)
    assert type(caught.value) is not StorageUnavailable
    return str(caught.value)


@pytest.mark.needs("postgresql-tls")
@pytest.mark.parametrize("how", ["", "?sslmode=require", "?sslmode=verify-full&sslrootcert={}"])
async def test_tls(secured: Secured, how: str) -> None:
    await works(f"{secured.server.url}/postgres{how.format(secured.authority)}")


@pytest.mark.needs("postgresql-tls")
async def test_a_certificate_of_somebody_else_is_refused(secured: Secured) -> None:
    said = await refused(f"{secured.server.url}/postgres?sslmode=verify-full&sslrootcert={secured.stranger}")
    assert "certificate verify failed" in said
    assert "?sslrootcert=FILE" in said


@pytest.mark.needs("postgresql-tls")
async def test_a_host_that_the_certificate_does_not_name_is_refused(secured: Secured) -> None:
    url = secured.server.url.replace("127.0.0.1", "localhost")
    said = await refused(f"{url}/postgres?sslmode=verify-full&sslrootcert={secured.authority}")
    assert "'localhost'" in said
    assert "host as the certificate does" in said
    await works(f"{url}/postgres?sslmode=verify-ca&sslrootcert={secured.authority}")


@pytest.mark.needs("postgresql-tls")
async def test_an_authority_that_is_nowhere_is_named(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"/nowhere\.pem, where there is no file"):
        await works(f"{secured.server.url}/postgres?sslmode=verify-full&sslrootcert=/nowhere.pem")
    monkeypatch.setenv("HOME", "/nowhere")
    assert "?sslrootcert=FILE" in await refused(f"{secured.server.url}/postgres?sslmode=verify-full")


async def test_a_server_without_tls_is_named(plain: PostgresServer) -> None:
    assert "sslmode=disable" in await refused(f"{plain.url}/postgres?sslmode=require")


async def test_a_unix_socket(plain: PostgresServer) -> None:
    who = plain.url.removeprefix("postgresql://").partition("@")[0]
    await works(f"postgresql://{who}@/postgres?host={plain.socket_folder}&port={plain.port}")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_ipv6(plain: PostgresServer) -> None:
    url = f"{plain.url}/postgres".replace("127.0.0.1", "[::1]")
    await works(url)
    assert re.search(r"\[::1\]:\d+/postgres", str(address(url)))


@pytest.mark.parametrize("password", ["p@ss:w/rd?#%&=+", "é ß 漢字", "'\"\\$ $1", " leading"])
async def test_any_password(plain: PostgresServer, password: str) -> None:
    role = f"Ro'le \"{next(numbers)}@"
    admin = PostgresStorage(f"reached_{next(numbers)}", f"{plain.url}/postgres")
    await admin.open(())
    async with admin.maintenance() as connection:
        quoted = password.replace("'", "''")
        name = role.replace('"', '""')
        await connection.exec_driver_sql(f"CREATE ROLE \"{name}\" LOGIN SUPERUSER PASSWORD '{quoted}'")
    await admin.close()
    there = Address(host="127.0.0.1", port=plain.port, user=role, password=password, database="postgres")
    await works(there.url)
    said = await refused(there.at(user=role, password="wrong").url)
    assert "check the user, its password" in said


async def test_a_server_that_is_made_to_read_only_is_named(plain: PostgresServer) -> None:
    storage = PostgresStorage(f"reached_{next(numbers)}", f"{plain.url}/postgres")
    await storage.open(())
    async with storage.maintenance() as connection:
        await connection.exec_driver_sql("CREATE ROLE reading LOGIN SUPERUSER PASSWORD 'x'")
        await connection.exec_driver_sql("ALTER ROLE reading SET default_transaction_read_only = on")
    await storage.close()
    url = address(f"{plain.url}/postgres").at(user="reading", password="x").url
    assert "name the primary" in await refused(url)
