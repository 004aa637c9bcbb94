"""The parts of a request are parsed as the standards say."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from hypothesis import given
from hypothesis import strategies as st

from ramet.http.operation.incoming import Incoming, parse_query


def test_a_query_keeps_every_value_in_order() -> None:
    assert parse_query(b"a=1&b=&a=2&c&&d=x%26y+z") == {"a": ["1", "2"], "b": [""], "c": [""], "d": ["x&y z"]}


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_what_was_encoded_is_parsed(pairs: list[tuple[str, str]]) -> None:
    text = urlencode(pairs)
    assert parse_query(text.encode()) == parse_qs(text, keep_blank_values=True)


def test_header_values_are_taken_apart() -> None:
    raw = [(b"accept", b"a, b"), (b"x", b"y"), (b"accept", b"c")]
    incoming = Incoming({"headers": raw, "query_string": b""}, dict(raw), {})
    assert incoming.header_values(b"accept") == ["a", "b", "c"]
    assert incoming.cookies == {}
