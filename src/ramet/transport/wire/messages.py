"""Pure: what the frames of the transport say, as values and as bytes.

A request is a MessagePack array, in the order of the fields of `Request`; what is at its end and has its default is
left out. The handshake is in maps, so that any later version can read who it talks to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from ramet.errors import (
    CallError,
    DeadlineExceeded,
    Denied,
    InternalError,
    OutcomeUnknown,
    Overloaded,
    RametError,
    Unavailable,
)
from ramet.telemetry.context import Caller, Context
from ramet.transport.base import Call

VERSIONS = (1,)
"""The versions of the protocol that this side speaks, the best last."""

_encode = msgspec.msgpack.encode
INFINITE = float("inf")
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError)
"""What decoding raises."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the side that dialled says first: the versions it speaks, who it is, what it can and will take."""

    versions: tuple[int, ...]
    application: str = ""
    name: str = ""
    token: bytes = b""
    compressions: tuple[str, ...] = ()
    frame_limit_bytes: int = 0


class Welcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The other side's answer: the version to speak, how to compress, and how much it takes at a time."""

    version: int
    name: str = ""
    compression: str = ""
    frame_limit_bytes: int = 0
    calls_limit: int = 0


class Trouble(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Why there is no answer, or no connection: one of `TROUBLES`, and a sentence."""

    code: str
    sentence: str = ""


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One call. `left_seconds` is its remaining time, None without end; `trace` is "" where it is `execution`.

    `caller` is a text where it is the signed proof of one, which says the tenant, too.
    """

    method: str
    arguments: bytes
    left_seconds: float | None
    execution: str
    trace: str = ""
    key: str | None = None
    withdraw: bool = False
    tenant: str | None = None
    region: str | None = None
    caller: Caller | str | None = None
    baggage: dict[str, str] = {}
    fresh: bool = False


TROUBLES: Mapping[str, type[RametError]] = {
    "unavailable": Unavailable,
    "overloaded": Overloaded,
    "denied": Denied,
    "deadline": DeadlineExceeded,
    "outcome-unknown": OutcomeUnknown,
    "too-large": CallError,
    "failed": InternalError,
}

read_hello: Callable[[bytes], Hello] = msgspec.msgpack.Decoder(Hello).decode
read_welcome: Callable[[bytes], Welcome] = msgspec.msgpack.Decoder(Welcome).decode
read_trouble: Callable[[bytes], Trouble] = msgspec.msgpack.Decoder(Trouble).decode
read_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Request).decode


def write_request(call: Call, left_seconds: float) -> bytes:
    """A call and the time that is left for it."""
    context, withdraw, fresh = call.context, call.withdraw, call.fresh
    left = None if left_seconds == INFINITE else left_seconds
    execution, trace = context.execution, context.trace
    if trace == execution:
        trace = ""
    tenant, region, caller, baggage = context.tenant, context.region, context.caller, context.baggage
    if tenant is None and caller is None and region is None and not baggage and not withdraw and not fresh:
        return _encode((call.method, call.arguments, left, execution, trace, call.key))
    who = context.proof or caller
    return _encode(
        (call.method, call.arguments, left, execution, trace, call.key, withdraw, tenant, region, who, baggage, fresh)
    )


def call_of(request: Request, now: float) -> Call:
    """The call of a request that has arrived, its deadline in this side's monotonic seconds."""
    left = request.left_seconds
    execution, caller = request.execution, request.caller
    context = Context(
        execution=execution,
        trace=request.trace or execution,
        deadline=INFINITE if left is None else now + left,
        caller=None if isinstance(caller, str) else caller,
        tenant=request.tenant,
        region=request.region,
        baggage=request.baggage,
        proof=caller if isinstance(caller, str) else "",
    )
    return Call(request.method, request.arguments, context, request.key, request.withdraw, request.fresh)


def error_of(trouble: Trouble, method: str) -> RametError:
    """The exception that the caller of `method` gets."""
    kind = TROUBLES.get(trouble.code, CallError)
    return InternalError(trouble.sentence, method) if kind is InternalError else kind(trouble.sentence)
