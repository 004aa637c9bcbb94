"""Pure: the statements that give each service a schema and a role of its own, and to each role nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ramet.storage.address import Address, quoted

_ITERATIONS = 4096  # PostgreSQL's own


@dataclass(frozen=True, kw_only=True)
class Login:
    """The role of one service."""

    service: str
    role: str
    password: str


def role_of(application: str, service: str) -> str:
    """The role of a service; roles belong to the whole server, so the application's name is part of it."""
    return f"{application}_{service}"


def connection_for(application: str, service: str, server: Address, passwords: Mapping[str, str]) -> Address:
    """Where a service's storage is, and who it is there: its own role where it has a password, else the server's user.

    The database is the one `server` names, or else that of the application's name.
    """
    where = server.at(database=server.database or application)
    if service not in passwords:
        return where
    return where.at(user=role_of(application, service), password=passwords[service])


def for_the_server(database: str, logins: Sequence[Login], *, salt: bytes) -> list[str]:
    """The roles, and who may connect; executed in any database, once the database is there."""
    statements = []
    for login in logins:
        rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT PASSWORD"
        secret = _literal(verifier(login.password, salt + login.role.encode()))
        name = _literal(login.role)
        statements.append(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name}) "
            f"THEN CREATE ROLE {quoted(login.role)}; END IF; END $$"
        )
        statements.append(f"ALTER ROLE {quoted(login.role)} {rights} {secret}")
    statements.append(f"REVOKE ALL ON DATABASE {quoted(database)} FROM PUBLIC")
    statements += [f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(login.role)}" for login in logins]
    return statements


def for_the_database(database: str, logins: Sequence[Login]) -> list[str]:
    """The schemas, each owned by its role and closed to everybody else; executed in the application's database."""
    statements = ["REVOKE ALL ON SCHEMA public FROM PUBLIC"]
    for login in logins:
        schema, role = quoted(login.service), quoted(login.role)
        statements += [
            f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}",
            f"ALTER SCHEMA {schema} OWNER TO {role}",
            f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC",
            _adopting(login),
            f"ALTER ROLE {role} IN DATABASE {quoted(database)} SET search_path = {schema}",
        ]
    return statements


def _adopting(login: Login) -> str:
    """What somebody else has made in the schema becomes the role's."""
    return (
        "DO $$ DECLARE found record; BEGIN FOR found IN SELECT c.relname FROM pg_catalog.pg_class c "
        f"WHERE c.relnamespace = {_literal(quoted(login.service))}::regnamespace "
        "AND c.relkind IN ('r', 'p', 'v', 'm') "
        f"AND c.relowner <> {_literal(quoted(login.role))}::regrole LOOP "
        f"EXECUTE format('ALTER TABLE {_formatted(login.service)}.%I OWNER TO {_formatted(login.role)}', "
        "found.relname); END LOOP; END $$"
    )


def verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803), so that no statement and no log has it."""
    salt = hashlib.sha256(salt).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _formatted(name: str) -> str:
    return quoted(name).replace("'", "''").replace("%", "%%")
