"""Pure: what the frames of the transport say, as values and as bytes.

A call is a MessagePack array of its fields, with its context in another; what is at their ends and has its default may
be left out. Its deadline is a moment of the caller's clock, and what the clock showed when it left travels with it. The
handshake is in maps, so that any later version can read who it talks to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from msgspec.structs import force_setattr, replace

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
_encode = msgspec.msgpack.encode
ENTRY_BYTES = 150
"""What an entry of baggage takes in memory, beside its text."""
SHOWN_CHARACTERS = 100
TOGETHER = 1024
"""So many requests, or replies, may be in one frame."""


class Calls(msgspec.Struct, frozen=True, array_like=True):
    """Calls that travel together, and the moment they left: `now` is of the clock that their deadlines are of."""

    now: float
    calls: Annotated[list[Call], msgspec.Meta(max_length=TOGETHER)]


Numbered = Annotated[int, msgspec.Meta(ge=0)]

read_calls: Callable[[bytes], Calls] = msgspec.msgpack.Decoder(Calls).decode
read_answers: Callable[[bytes], list[tuple[int, bytes]]] = msgspec.msgpack.Decoder(
    Annotated[list[tuple[Numbered, bytes]], msgspec.Meta(max_length=TOGETHER)]
).decode


def plain(said: str) -> str:
    """What a stranger says of itself, as it may stand in a line of a log: not long, and nothing but visible text.

    >>> plain("edge\\n12:00:00 error all is lost")
    'edge\\\\n12:00:00 error all is lost'
    """
    visible = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in said[:SHOWN_CHARACTERS])
    return visible if len(said) <= SHOWN_CHARACTERS else f"{visible}…"


def by_proof(call: Call) -> Call:
    """A call without its caller: who is shown the proof of one needs nothing else of it."""
    context = call.context
    return call if context.caller is None else replace(call, context=replace(context, caller=None))


def put_off(call: Call, seconds: float) -> None:
    """Make the deadline of a call that has come one of this process's clock, which is ahead by this much."""
    context = call.context
    force_setattr(context, "deadline", context.deadline + seconds)


def weight(call: Call) -> int:
    """About how many bytes a call holds."""
    baggage = len(call.context.baggage) * ENTRY_BYTES
    return len(call.arguments) + len(call.method) + len(call.key or "") + len(_encode(call.context)) + baggage


def error_of(trouble: Trouble, method: str) -> RametError:
    """The exception that the caller of `method` gets."""
    kind = TROUBLES.get(trouble.code, CallError)
    return InternalError(trouble.sentence, method) if kind is InternalError else kind(trouble.sentence)
