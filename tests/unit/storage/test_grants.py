"""Who a service is on the server, and what the statements say."""

from __future__ import annotations

from ramet.storage.address import address
from ramet.storage.grants import Login, connection_for, for_the_database, for_the_server, verifier

SERVER = address("postgresql://admin:secret@db")


def test_a_service_with_a_password_logs_in_as_its_own_role() -> None:
    where = connection_for("shop", "orders", SERVER, {"orders": "pw"})
    assert where.url == "postgresql://shop_orders:pw@db:5432/shop"


def test_a_service_without_one_logs_in_as_the_servers_user() -> None:
    assert connection_for("shop", "orders", SERVER, {}).url == "postgresql://admin:secret@db:5432/shop"
    assert connection_for("shop", "orders", address("postgresql://db/other"), {}).database == "other"


def test_names_are_quoted_wherever_they_stand() -> None:
    login = Login(service="a\"b'c", role='shop_a"b', password="pw")
    text = "\n".join([*for_the_server('x"y', [login], salt=b"s"), *for_the_database('x"y', [login])])
    assert 'CREATE SCHEMA IF NOT EXISTS "a""b\'c" AUTHORIZATION "shop_a""b"' in text
    assert 'GRANT CONNECT ON DATABASE "x""y" TO "shop_a""b"' in text


def test_what_postgresql_keeps_of_a_password_is_rfc_5803s() -> None:
    text = verifier("pencil", b"salt")
    assert text.startswith("SCRAM-SHA-256$4096:")
    assert text == verifier("pencil", b"salt")
    assert text != verifier("pencil", b"pepper")
