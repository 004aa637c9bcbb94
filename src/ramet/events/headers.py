"""Pure: the context of the work that published an event, as headers of the message and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from ramet.telemetry.context import Caller, Context

encode_headers = msgspec.json.Encoder().encode
decode_headers = msgspec.json.Decoder(dict[str, str]).decode
"""As a column has them."""
_encode = msgspec.json.Encoder(order="sorted").encode
_decode_caller = msgspec.json.Decoder(Caller).decode
_decode_baggage = msgspec.json.Decoder(dict[str, str]).decode
T = TypeVar("T")


def to_headers(context: Context) -> dict[str, str]:
    """What travels with an event. A deadline does not: nobody waits for its handling."""
    headers = {"execution": context.execution, "trace": context.trace}
    if context.caller is not None:
        headers["caller"] = _encode(context.caller).decode()
    if context.proof:
        headers["proof"] = context.proof
    if context.tenant is not None:
        headers["tenant"] = context.tenant
    if context.region is not None:
        headers["region"] = context.region
    if context.baggage:
        headers["baggage"] = _encode(context.baggage).decode()
    return headers


def from_headers(headers: dict[str, str], *, execution: str) -> Context:
    """The context to handle an event in: a new execution of the same trace, on behalf of the same caller.

    A message without headers, or with a caller that cannot be read, is handled as nobody's.
    """
    return Context(
        execution=execution,
        trace=headers.get("trace", execution),
        caller=_read(headers.get("caller"), _decode_caller),
        tenant=headers.get("tenant"),
        region=headers.get("region"),
        baggage=_read(headers.get("baggage"), _decode_baggage) or {},
        proof=headers.get("proof", ""),
    )


def _read(text: str | None, decode: Callable[[str], T]) -> T | None:
    if text is None:
        return None
    try:
        return decode(text)
    except msgspec.MsgspecError:
        return None
