"""Pure: where a PostgreSQL server is, read from a URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ramet.errors import ConfigurationError

SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, kw_only=True)
class Address:
    """A server, or a database on one, and who logs in; `host` may be the folder of a Unix socket."""

    host: str = "localhost"
    port: int = 5432
    user: str | None = None
    password: str | None = None
    database: str | None = None
    ssl: str | None = None

    def __str__(self) -> str:
        """Without the password."""
        return f"postgresql://{self.host}:{self.port}/{self.database or ''}"

    @property
    def url(self) -> str:
        """With everything, the password as well."""
        who = quote(self.user or "", safe="")
        who += f":{quote(self.password, safe='')}" if self.password is not None else ""
        host, query = ("", f"?host={quote(self.host, safe='')}") if "/" in self.host else (self.host, "")
        query += f"{'&' if query else '?'}sslmode={self.ssl}" if self.ssl else ""
        return f"postgresql://{who}{'@' if who else ''}{host}:{self.port}/{quote(self.database or '', safe='')}{query}"

    def at(self, *, database: str | None = None, user: str | None = None, password: str | None = None) -> Address:
        """The same server, with another database or another who."""
        changed = replace(self, database=database if database is not None else self.database)
        return changed if user is None else replace(changed, user=user, password=password)

    def arguments(self) -> dict[str, Any]:
        """As asyncpg's `connect` takes it."""
        given = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        given |= {"database": self.database, "ssl": self.ssl}
        return {name: value for name, value in given.items() if value is not None}


def address(url: str) -> Address:
    """Read `postgresql://[user[:password]@]host[:port][/database][?host=/folder&sslmode=…]`.

    Raises: ConfigurationError where it is no such URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError as error:
        raise ConfigurationError(f"{_shown(url)} is no URL of PostgreSQL: {error}.") from error
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(query.keys() - {"host", "port", "sslmode"})
    if parts.scheme not in SCHEMES or unknown or parts.path.count("/") > 1:
        reason = f"it has no place for {', '.join(unknown)}" if unknown else "it has another shape"
        raise ConfigurationError(
            f"{_shown(url)} is no URL of PostgreSQL ({reason}): write postgresql://user:password@host:5432/database."
        )
    return Address(
        host=query.get("host") or parts.hostname or "localhost",
        port=int(query.get("port", port)),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        database=unquote(parts.path.lstrip("/")) or None,
        ssl=query.get("sslmode"),
    )


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
