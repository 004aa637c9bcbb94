"""Each service has a schema and a role of its own, and sees nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import asyncpg
import pytest

from ramet.errors import ConfigurationError, StorageError
from ramet.storage.address import address
from ramet.storage.base import Write
from ramet.storage.grants import connection_for
from ramet.storage.postgres.storage import PostgresStorage
from ramet.storage.provisioning import FILE, give_roles, keep, logins, passwords, provision, script
from ramet.storage.tables import SCHEMA
from ramet.testing.engines.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgresql")

SERVICES = ("orders", "gift-cards")
TABLES = ("CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY)",)


def storage_of(service: str, server: PostgresServer, file: Path) -> PostgresStorage:
    where = connection_for("shop", service, address(server.url), passwords(file, SERVICES, {}))
    return PostgresStorage(service, where.url)


async def provisioned(
    server: PostgresServer,
    file: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    services: Sequence[str] = SERVICES,
    database: str = "shop",
) -> None:
    await give_roles("shop", services, address(server.url).at(database=database), file, environment)


async def test_a_services_credentials_cannot_read_anothers_tables(server: PostgresServer, tmp_path: Path) -> None:
    file = tmp_path / FILE
    await provisioned(server, file)
    orders, cards = (storage_of(service, server, file) for service in SERVICES)
    await orders.open((*SCHEMA, *TABLES))
    await cards.open((*SCHEMA, *TABLES))
    await orders.write(Write("INSERT INTO note (key) VALUES (?)", [("secret",)]))
    assert await orders.fetch("SELECT key FROM note") == [("secret",)]
    assert await cards.fetch("SELECT key FROM note") == []
    for forbidden in (
        "SELECT key FROM orders.note",
        "SELECT key FROM orders.ramet_inbox",
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE orders.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE shop_orders",
    ):
        with pytest.raises(StorageError, match=r"permission denied|read-only"):
            await cards.fetch(forbidden)
        raw = await asyncpg.connect(**cards.address.arguments())
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.execute(forbidden)
        await raw.close()
    await orders.close()
    await cards.close()


async def test_it_may_be_repeated_and_keeps_the_passwords(server: PostgresServer, tmp_path: Path) -> None:
    file = tmp_path / FILE
    await provisioned(server, file)
    before = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    await provisioned(server, file)
    assert file.read_bytes() == before
    orders = storage_of("orders", server, file)
    await orders.open(SCHEMA)
    await orders.close()


async def test_a_password_of_the_environment_is_kept_nowhere(server: PostgresServer, tmp_path: Path) -> None:
    file = tmp_path / FILE
    environment = {"RAMET_POSTGRESQL_GIFT_CARDS": "from outside"}
    await provisioned(server, file, environment)
    assert "from outside" not in file.read_text()
    where = connection_for("shop", "gift-cards", address(server.url), passwords(file, SERVICES, environment))
    storage = PostgresStorage("gift-cards", where.url)
    await storage.open(SCHEMA)
    await storage.close()


async def test_what_the_superuser_made_before_becomes_the_services(server: PostgresServer, tmp_path: Path) -> None:
    admin = PostgresStorage("stock", f"{server.url}/postgres")
    await admin.open((*SCHEMA, *TABLES))
    await admin.write(Write("INSERT INTO note (key) VALUES (?)", [("kept",)]))
    await admin.close()
    file = tmp_path / FILE
    await provisioned(server, file, services=["stock"], database="postgres")
    where = connection_for("shop", "stock", address(f"{server.url}/postgres"), passwords(file, ["stock"], {}))
    own = PostgresStorage("stock", where.url)
    await own.open((*SCHEMA, *TABLES))
    assert await own.fetch("SELECT key FROM note") == [("kept",)]
    await own.write(Write("INSERT INTO note (key) VALUES (?)", [("more",)]))
    await own.close()


async def test_a_wrong_password_is_named_without_being_shown(server: PostgresServer, tmp_path: Path) -> None:
    await provisioned(server, tmp_path / FILE)
    wrong = address(server.url).at(database="shop", user="shop_orders", password="wrong")
    with pytest.raises(StorageError, match=r"password authentication failed.*pg_hba") as raised:
        await PostgresStorage("orders", wrong.url).open(())
    assert ":wrong" not in str(raised.value)


async def test_a_failure_keeps_no_password_that_the_server_does_not_have(
    server: PostgresServer, tmp_path: Path
) -> None:
    wrong = address(server.url).at(user=server.user, password="wrong")
    file = tmp_path / FILE
    with pytest.raises(ConfigurationError, match="mend the user and the password"):
        await provision(wrong, "shop", logins("shop", SERVICES, file, {}))
    assert not file.exists()
    await provisioned(server, file)
    orders = storage_of("orders", server, file)
    await orders.open(SCHEMA)
    await orders.close()


def test_passwords_that_others_may_read_are_refused(tmp_path: Path) -> None:
    file = tmp_path / FILE
    keep(logins("shop", SERVICES, file, {}), file, {})
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        passwords(file, SERVICES, {})


def test_the_script_has_no_password(tmp_path: Path) -> None:
    wanted = logins("shop", SERVICES, tmp_path / FILE, {})
    text = script("shop", wanted)
    assert 'CREATE SCHEMA IF NOT EXISTS "gift-cards" AUTHORIZATION "shop_gift-cards"' in text
    assert not [login for login in wanted if login.password in text]
