"""What API methods take and give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.exchange import Headers, Page, Request, cookies_of
from ramet.errors import InvalidArguments


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


@given(st.lists(st.integers(), max_size=30), st.integers(1, 7))
def test_pages_give_every_item_once(items: list[int], limit: int) -> None:
    found: list[int] = []
    page = Page(limit=limit)
    for _ in range(len(items) + 1):
        start = page.after(int) or 0
        answer = page.of(list(enumerate(items))[start : start + limit + 1], key=lambda pair: pair[0] + 1)
        found += [value for _, value in answer.items]
        if answer.next is None:
            break
        page = Page(limit=limit, cursor=answer.next)
    assert found == items


@given(st.tuples(st.text(), st.integers(-(2**60), 2**60)))
def test_a_cursor_carries_any_key(key: tuple[str, int]) -> None:
    cursor = Page(limit=1).of([1, 2], key=lambda _: key).next
    assert Page(limit=1, cursor=cursor).after(tuple[str, int]) == key


@pytest.mark.parametrize("cursor", ["", "!", "é", "Mgx", "bm8", "a" * 5])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArguments, match="begin again without it"):
        Page(limit=1, cursor=cursor).after(int)
