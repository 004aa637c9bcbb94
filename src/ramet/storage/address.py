"""Pure: where a PostgreSQL server is, read from a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

from ramet.errors import ConfigurationError

SCHEMES = ("postgresql", "postgres")
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey")


@dataclass(frozen=True, kw_only=True)
class Address:
    """A server, or a database on one, and who logs in; `host` may be the folder of a Unix socket."""

    host: str = "localhost"
    port: int = 5432
    user: str | None = None
    password: str | None = None
    database: str | None = None
    ssl: str | None = None
    files: tuple[tuple[str, str], ...] = ()
    """`sslrootcert`, `sslcert`, `sslkey`: the authority that is trusted, and who we are, as files."""

    def __str__(self) -> str:
        """Without the password."""
        return f"postgresql://{_bracketed(self.host)}:{self.port}/{self.database or ''}"

    @property
    def place(self) -> str:
        """Where the server listens: host and port, or a Unix socket."""
        return f"{self.host}/.s.PGSQL.{self.port}" if "/" in self.host else f"{_bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """With everything, the password as well."""
        who = quote(self.user or "", safe="")
        who += f":{quote(self.password, safe='')}" if self.password is not None else ""
        host, query = ("", {"host": self.host}) if "/" in self.host else (_bracketed(self.host), {})
        query |= ({"sslmode": self.ssl} if self.ssl else {}) | dict(self.files)
        return f"postgresql://{who}{'@' if who else ''}{host}:{self.port}/{quote(self.database or '', safe='')}" + (
            f"?{urlencode(query)}" if query else ""
        )

    def at(self, *, database: str | None = None, user: str | None = None, password: str | None = None) -> Address:
        """The same server, with another database or another who."""
        changed = replace(self, database=database if database is not None else self.database)
        return changed if user is None else replace(changed, user=user, password=password)

    def arguments(self) -> dict[str, Any]:
        """As asyncpg's `connect` takes it."""
        given = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        given |= {"database": self.database, "ssl": self.ssl}
        given["dsn"] = f"postgresql://?{urlencode(self.files)}" if self.files else None
        return {name: value for name, value in given.items() if value is not None}


def address(url: str) -> Address:
    """Read `postgresql://[user[:password]@]host[:port][/database][?host=/folder&sslmode=…&sslrootcert=FILE]`.

    Raises: ConfigurationError where it is no such URL.
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if reason := _wrong(parts, query):
        raise ConfigurationError(
            f"{_shown(url)} is no URL of PostgreSQL ({reason}): write postgresql://user:password@host:5432/database."
        )
    place = parts.netloc.rpartition("@")[2]
    host = unquote(place.partition(":")[0]) if place[:3].upper() == "%2F" else parts.hostname
    return Address(
        host=query.get("host") or host or "localhost",
        port=int(query.get("port", parts.port or 5432)),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        database=unquote(parts.path.lstrip("/")) or None,
        ssl=query.get("sslmode"),
        files=tuple((name, query[name]) for name in _FILES if name in query),
    )


def _wrong(parts: SplitResult, query: Mapping[str, str]) -> str:
    """What is wrong with this URL; shows no part of it that may be one of a password."""
    if "@" in parts.path + parts.query + parts.fragment:
        return "special characters of a password are written as %23 and the like"
    if parts.scheme not in SCHEMES or parts.fragment or parts.path.count("/") > 1:
        return "it has another shape"
    if unknown := sorted(query.keys() - {"host", "port", "sslmode", *_FILES}):
        return f"it has no place for {', '.join(unknown)}"
    if query.get("sslmode", _MODES[0]) not in _MODES:
        return f"sslmode is one of {', '.join(_MODES)}"
    try:
        return "" if int(query.get("port", parts.port or 1)) else "its port is 0"
    except ValueError:
        return "its port is no number, or special characters of its password are not written as %23 and the like"


def _bracketed(host: str) -> str:
    """A host as it stands in a URL, where the colons of IPv6 would be taken for a port's."""
    return f"[{host}]" if ":" in host else host


def _shown(url: str) -> str:
    """A URL as a message may show it."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://…@{after}" if at else url


def quoted(name: str) -> str:
    """A name as an identifier of SQL.

    >>> quoted("gift-cards")
    '"gift-cards"'
    """
    return '"' + name.replace('"', '""') + '"'
