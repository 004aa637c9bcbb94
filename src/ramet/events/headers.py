"""Pure: the context of the work that published an event, as headers of the message and back."""

from __future__ import annotations

import msgspec

from ramet.telemetry.context import Caller, Context

_BAGGAGE = "baggage."
_encode = msgspec.json.Encoder(order="sorted").encode
_decode_caller = msgspec.json.Decoder(Caller).decode


def to_headers(context: Context) -> dict[str, str]:
    """What travels with an event. A deadline does not: nobody waits for its handling."""
    headers = {"execution": context.execution, "trace": context.trace}
    if context.caller is not None:
        headers["caller"] = _encode(context.caller).decode()
    if context.tenant is not None:
        headers["tenant"] = context.tenant
    if context.region is not None:
        headers["region"] = context.region
    for name, value in context.baggage.items():
        headers[_BAGGAGE + name] = value
    return headers


def from_headers(headers: dict[str, str], *, execution: str) -> Context:
    """The context to handle an event in: a new execution of the same trace, on behalf of the same caller.

    A message without headers, or with a caller that cannot be read, is handled as nobody's.
    """
    return Context(
        execution=execution,
        trace=headers.get("trace", execution),
        caller=_caller(headers.get("caller")),
        tenant=headers.get("tenant"),
        region=headers.get("region"),
        baggage={name[len(_BAGGAGE) :]: value for name, value in headers.items() if name.startswith(_BAGGAGE)},
    )


def _caller(text: str | None) -> Caller | None:
    if text is None:
        return None
    try:
        return _decode_caller(text)
    except msgspec.MsgspecError:
        return None
