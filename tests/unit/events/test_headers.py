"""The context of whoever published survives the journey."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ramet.events.headers import from_headers, to_headers
from ramet.telemetry.context import Caller, Context

texts = st.text(min_size=1)
callers = st.builds(Caller, subject=texts, tenant=st.none() | texts, roles=st.frozensets(texts, max_size=3))
contexts = st.builds(
    Context,
    execution=texts,
    trace=texts,
    caller=st.none() | callers,
    tenant=st.none() | texts,
    region=st.none() | texts,
    baggage=st.dictionaries(texts, texts, max_size=3),
)


@given(contexts)
def test_everything_but_execution_and_deadline_travels(context: Context) -> None:
    arrived = from_headers(to_headers(context), execution="new")
    assert arrived == Context(
        execution="new",
        trace=context.trace,
        caller=context.caller,
        tenant=context.tenant,
        region=context.region,
        baggage=context.baggage,
    )


def test_a_message_without_headers_begins_a_trace() -> None:
    assert from_headers({}, execution="e") == Context(execution="e", trace="e")


def test_a_caller_that_cannot_be_read_is_nobody() -> None:
    assert from_headers({"caller": "{"}, execution="e").caller is None
