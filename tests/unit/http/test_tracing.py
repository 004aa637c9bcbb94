"""Trace context is taken from well-formed headers only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.http.tracing import parse_traceparent, request_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_traceparent_is_taken_apart() -> None:
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-01".encode()) == (TRACE, SPAN, "01")


def test_a_later_version_may_say_more() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-00-more".encode()) == (TRACE, SPAN, "00")


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00_{TRACE}-{SPAN}-01",
    ],
)
def test_a_malformed_traceparent_begins_a_new_trace(header: str) -> None:
    assert parse_traceparent(header.encode()) is None


@given(st.binary(max_size=70))
def test_no_header_breaks_it(header: bytes) -> None:
    parse_traceparent(header)


def test_a_harmless_request_id_is_kept() -> None:
    assert request_id(b"order-17/a", "own") == b"order-17/a"


@pytest.mark.parametrize("given", [None, b"", b"a b", b"x" * 129, b"a\nb", "é".encode()])
def test_any_other_is_replaced(given: bytes | None) -> None:
    assert request_id(given, "own") == b"own"
