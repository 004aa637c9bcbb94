"""Pure: what the frames of the transport say, as values and as bytes.

A request is a call: a MessagePack array of its fields, with its context in another; what is at their ends and has its
default may be left out. Several requests are an array of pairs, a number and a request; several replies likewise. The
handshake is in maps, so that any later version can read who it talks to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from msgspec.structs import force_setattr

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
from ramet.transport.base import Call

VERSIONS = (1,)
"""The versions of the protocol that this side speaks, the best last."""

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
TOGETHER = 1024
"""So many requests, or replies, may be in one frame."""

Numbered = Annotated[int, msgspec.Meta(ge=0)]

read_call: Callable[[bytes], Call] = msgspec.msgpack.Decoder(Call).decode
read_calls: Callable[[bytes], list[tuple[int, Call]]] = msgspec.msgpack.Decoder(
    Annotated[list[tuple[Numbered, Call]], msgspec.Meta(max_length=TOGETHER)]
).decode
read_answers: Callable[[bytes], list[tuple[int, bytes]]] = msgspec.msgpack.Decoder(
    Annotated[list[tuple[int, bytes]], msgspec.Meta(max_length=TOGETHER)]
).decode

Travelling = tuple[str, bytes, tuple[object, ...], str | None, bool, bool]
"""A call as it travels."""


def travelling(call: Call, left_seconds: float) -> Travelling:
    """A call, with the time that is left for it in the place of its deadline.

    Who is shown the proof of a caller needs nothing else of it.
    """
    context = call.context
    proof = context.proof
    caller = None if proof else context.caller
    baggage = context.baggage
    carried = context.execution, context.trace, left_seconds, caller, context.tenant, context.region, baggage, proof
    return call.method, call.arguments, carried, call.key, call.withdraw, call.fresh


def set_deadline(call: Call, now: float) -> float:
    """Make the deadline of a call that has come of the seconds that are left for it; gives those back."""
    context = call.context
    left = context.deadline
    force_setattr(context, "deadline", now + left)
    return left


def error_of(trouble: Trouble, method: str) -> RametError:
    """The exception that the caller of `method` gets."""
    kind = TROUBLES.get(trouble.code, CallError)
    return InternalError(trouble.sentence, method) if kind is InternalError else kind(trouble.sentence)
