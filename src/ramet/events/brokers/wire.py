"""Pure: events as the body of a broker's message, and back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ramet.events.base import Message

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message | list[Message]).decode


def encode_messages(messages: Sequence[Message]) -> bytes:
    """One as a map, several as an array of them."""
    return _encode(messages[0] if len(messages) == 1 else messages)


def decode_messages(data: bytes) -> list[Message]:
    """What was encoded, in its order."""
    decoded = _decode(data)
    return decoded if isinstance(decoded, list) else [decoded]
