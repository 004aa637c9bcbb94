"""Events are written so that a browser reads back what was said."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.web.responses import Message
from ramet.http.operation.streams import encode_event


def read_back(data: bytes) -> dict[str, str]:
    """One event, as the standard parses it."""
    assert data.endswith(b"\n\n")
    lines = data[:-2].decode().split("\n")
    return dict(line.split(": ", 1) for line in lines)


@given(st.recursive(st.none() | st.text() | st.integers(-(2**60), 2**60), st.lists, max_leaves=5))
def test_any_value_is_one_event(value: object) -> None:
    assert msgspec.json.decode(read_back(encode_event(value))["data"]) == value


@given(st.text(), st.text())
def test_an_id_and_a_name_cannot_begin_another_field(identity: str, name: str) -> None:
    event = read_back(encode_event(Message(data=1, id=identity, event=name, retry_seconds=2)))
    assert event.keys() == {"data", "id", "event", "retry"}
    assert (event["data"], event["retry"]) == ("1", "2000")
