"""The request itself, for methods that want more of it than values: headers, cookies, a body in pieces, uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile

Receive = Callable[[], Awaitable[Any]]


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
