"""One request as the binder sees it: parsed on demand, each part at most once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from ramet.contract.web.request import Request, cookies_of
from ramet.telemetry.context import Caller

if TYPE_CHECKING:
    from ramet.contract.web.request import Upload

NO_FORM: Mapping[str, list[Any]] = {}
NO_QUERY: dict[str, list[str]] = {}


class Incoming:
    """What the arguments of one call are taken from. `body` and `form` are there once they have been read."""

    __slots__ = ("_cookies", "_query", "body", "caller", "form", "headers", "places", "request", "scope")

    def __init__(self, scope: Mapping[str, Any], headers: dict[bytes, bytes], places: Mapping[str, str]) -> None:
        self.scope = scope
        self.headers = headers
        self.places = places
        self.body = b""
        self.form: Mapping[str, list[str | Upload]] = NO_FORM
        self.caller: Caller | None = None
        self.request: Request | None = None
        self._query: dict[str, list[str]] | None = None
        self._cookies: dict[str, str] | None = None

    @property
    def query(self) -> dict[str, list[str]]:
        """All values of every query parameter."""
        if self._query is None:
            text = self.scope["query_string"]
            self._query = parse_query(text) if text else NO_QUERY
        return self._query

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        if self._cookies is None:
            self._cookies = cookies_of(self.headers.get(b"cookie", b"").decode("latin-1"))
        return self._cookies

    def header_values(self, name: bytes) -> list[str]:
        """Every value of a header, those joined by commas taken apart."""
        found = [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]
        return [part.strip() for value in found for part in value.split(",")]


def parse_query(text: bytes) -> dict[str, list[str]]:
    """The pairs of a query string or of a URL-encoded form, values in their order."""
    found: dict[str, list[str]] = {}
    coded = b"%" in text or b"+" in text
    for pair in text.decode("latin-1").split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if coded:
            name, value = unquote_plus(name), unquote_plus(value)
        found.setdefault(name, []).append(value)
    return found
