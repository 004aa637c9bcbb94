"""The request as methods of an API see it."""

from __future__ import annotations

from typing import Any

from ramet.contract.web.request import Headers, Request, cookies_of


def request(headers: dict[str, str], query: str = "") -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "method": "POST",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "scheme": "https",
        "headers": raw,
        "query_string": query.encode(),
        "client": ("10.0.0.7", 4711),
    }
    pieces = [b"one ", b"", b"two"]

    async def receive() -> Any:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    return Request(scope, receive)


def test_headers_are_found_in_any_case_and_joined() -> None:
    headers = Headers([(b"Accept", b"a"), (b"accept", b"b"), (b"cookie", b"x=1"), (b"cookie", b"y=2")])
    assert (headers["ACCEPT"], headers["cookie"], len(headers)) == ("a, b", "x=1; y=2", 2)
    assert "nothing" not in headers


def test_a_request_tells_what_was_asked() -> None:
    asked = request({"host": "shop.example", "cookie": 'sid="17"; theme=dark'}, "a=1&a=2&b=")
    assert (asked.method, asked.path, asked.client) == ("POST", "/a b", "10.0.0.7")
    assert asked.url == "https://shop.example/a%20b?a=1&a=2&b="
    assert asked.query == {"a": ["1", "2"], "b": [""]}
    assert asked.cookies == {"sid": "17", "theme": "dark"}


async def test_a_body_can_be_read_again() -> None:
    asked = request({})
    assert await asked.body() == b"one two"
    assert await asked.body() == b"one two"


async def test_a_body_can_be_read_in_pieces() -> None:
    assert [piece async for piece in request({}).stream()] == [b"one ", b"two"]


def test_the_first_of_equal_cookies_counts() -> None:
    assert cookies_of("a=1; a=2; b; =3") == {"a": "1", "": "3"}
