"""What a method of an `Api` takes and gives besides plain values: requests, headers, uploads, pages, files, streams."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec

from ramet.contract.struct import Struct
from ramet.errors import InvalidArguments

if TYPE_CHECKING:
    from pathlib import Path
    from tempfile import SpooledTemporaryFile

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Header:
    """`Annotated[str, Header("X-Shop")]`: taken from a header; without a name, that of the parameter with hyphens."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """`Annotated[int, Query(alias="from")]`: taken from the query string, under another name than the parameter's."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """`Annotated[str, Cookie("session")]`: taken from a cookie."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """`Annotated[str, Form()]`: taken from a form field, URL-encoded or multipart."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """`Annotated[int, Body()]`: the whole JSON body, where the type alone would mean a query parameter."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`Annotated[Page, Limits(default=20, maximum=100)]`: how many items a page has."""

    default: int = 50
    maximum: int = 200


class Headers(Mapping[str, str]):
    """The headers of a request, by name in any case; repeated ones are joined by commas."""

    __slots__ = ("_values",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for key, value in raw:
            name, text = key.decode("latin-1").lower(), value.decode("latin-1")
            joint = "; " if name == "cookie" else ", "
            self._values[name] = f"{self._values[name]}{joint}{text}" if name in self._values else text

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


class Request:
    """The request as it came: what `authenticate` looks at, and the way to a body that is read in pieces."""

    __slots__ = ("_body", "_headers", "_receive", "scope")

    def __init__(self, scope: Mapping[str, Any], receive: Receive) -> None:
        self.scope = scope
        self._receive = receive
        self._headers: Headers | None = None
        self._body: bytes | None = None

    @property
    def method(self) -> str:
        """`"GET"`, `"POST"`, …"""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return str(self.scope["path"])

    @property
    def url(self) -> str:
        """The address that was asked for, as far as the request tells."""
        scheme, host = self.scope.get("scheme", "http"), self.headers.get("host", "localhost")
        path = self.scope.get("raw_path") or self.path.encode()
        query = self.scope.get("query_string") or b""
        return f"{scheme}://{host}{path.decode('latin-1')}" + (f"?{query.decode('latin-1')}" if query else "")

    @property
    def headers(self) -> Headers:
        """By name, in any case."""
        if self._headers is None:
            self._headers = Headers(self.scope["headers"])
        return self._headers

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters, each with all its values."""
        return parse_qs((self.scope.get("query_string") or b"").decode("latin-1"), keep_blank_values=True)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return cookies_of(self.headers.get("cookie", ""))

    @property
    def client(self) -> str | None:
        """The address of the peer: a proxy's, where there is one in front."""
        peer = self.scope.get("client")
        return str(peer[0]) if peer else None

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in the pieces in which it arrives; it can be read once.

        Raises: a refusal with status 413 when it grows beyond the route's `max_body`.
        """
        more = True
        while more:
            message = await self._receive()
            more = message.get("more_body", False) and message["type"] == "http.request"
            if piece := message.get("body", b""):
                yield piece

    async def body(self) -> bytes:
        """The whole body; later calls give it again."""
        if self._body is None:
            self._body = b"".join([piece async for piece in self.stream()])
        return self._body


def cookies_of(text: str) -> dict[str, str]:
    """The pairs of a Cookie header (RFC 6265, section 5.4); of equal names the first one counts."""
    found: dict[str, str] = {}
    for pair in text.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            found.setdefault(name, value.strip('"'))
    return found


class Upload:
    """One file of a multipart form: small ones in memory, large ones in a temporary file that goes with the request."""

    __slots__ = ("_file", "content_type", "filename", "size")

    def __init__(self, filename: str, content_type: str, file: SpooledTemporaryFile[bytes], size: int) -> None:
        self.filename = filename
        self.content_type = content_type
        self.size = size
        self._file = file

    def read(self, count: int = -1) -> bytes:
        """The next `count` bytes, or all the rest."""
        return self._file.read(count)

    def rewind(self) -> None:
        """Read from the beginning again."""
        self._file.seek(0)

    def close(self) -> None:
        """Give the memory or file back; done for you when the request has been answered."""
        self._file.close()

    def __repr__(self) -> str:
        return f"Upload({self.filename!r}, {self.content_type!r}, {self.size} bytes)"


class Page(Struct):
    """The page that was asked for: the query parameters `limit` and `cursor`.

    >>> page = Page(limit=2)
    >>> page.of(["a", "b", "c"], key=str.upper)
    Paged(items=('a', 'b'), next='IkIi')

    Select `page.limit + 1` rows that come after `page.after(str)`, and let `of` make the answer.
    """

    limit: int
    cursor: str | None = None

    def after(self, kind: type[T]) -> T | None:
        """The key of the last item of the page before; None on the first page.

        Raises: InvalidArguments when the cursor was not made by this API.
        """
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=kind)
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            raise InvalidArguments("The cursor is not one that this API gave: begin again without it.") from None

    def of(self, items: Sequence[T], *, key: Callable[[T], Any]) -> Paged[T]:
        """A page of at most `limit` of the items, which tells where the next begins if there are more."""
        shown = tuple(items[: self.limit])
        more = len(items) > self.limit
        return Paged(items=shown, next=_cursor(key(shown[-1])) if more and shown else None)


def _cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


class Paged(Struct, Generic[T]):
    """A page of items; `next` is the cursor of the page after it, None on the last. A Link header says it too."""

    items: tuple[T, ...]
    next: str | None = None


class Answer:
    """The base of answers that are more than a body."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reply(Answer, Generic[T]):
    """An answer with its own status, headers or cookies; a `cookies` value may carry attributes after a semicolon.

    A status of None is the route's.
    """

    body: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redirect(Answer):
    """Sends the client elsewhere: 303 "see other" fits after a form and for a page that has moved for now."""

    url: str
    status: int = 303


@dataclass(frozen=True, slots=True)
class File(Answer):
    """A file, by path or content. Ranges, `If-None-Match` and `If-Modified-Since` are answered.

    `filename` makes browsers save it under that name; `media_type` is guessed from the name unless given.
    """

    source: Path | bytes
    media_type: str | None = None
    filename: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream(Answer):
    """Bytes as they come; the deadline of the request ends at the first piece."""

    pieces: AsyncIterator[bytes]
    media_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


class Message(Struct, Generic[T]):
    """One server-sent event with its `id` (given back by browsers as Last-Event-ID) and name."""

    data: T
    id: str | None = None
    event: str | None = None
    retry_seconds: float | None = None


EventStream = AsyncIterator[T | Message[T]]
"""The result of a method that yields server-sent events: values, or `Message`s where they need an id or a name."""
