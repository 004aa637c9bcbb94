"""Pure: events as the body of a broker's message, and back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ramet.events.base import Message

LETTER_BYTES = 4
HEADER_BYTES = 3
MESSAGE_BYTES = 128
"""What a letter takes at most; what a header takes beside its letters, as a number of letters; what all else takes."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message | list[Message]).decode


def encode_messages(messages: Sequence[Message]) -> bytes:
    """One as a map, several as an array of them."""
    return _encode(messages[0] if len(messages) == 1 else messages)


def at_most_bytes(message: Message) -> int:
    """No less than what a message adds to what is encoded; cheaper to know than how much exactly.

    >>> encoded = encode_messages([Message(id="1", topic="orders.Placed", key="käse", headers={"größe": "ü"})])
    >>> len(encoded) <= at_most_bytes(Message(id="1", topic="orders.Placed", key="käse", headers={"größe": "ü"}))
    True
    """
    letters = len(message.id) + len(message.topic) + len(message.key or "")
    for name, value in message.headers.items():
        letters += len(name) + len(value) + HEADER_BYTES
    return len(message.payload) + LETTER_BYTES * letters + MESSAGE_BYTES


def decode_messages(data: bytes) -> list[Message]:
    """What was encoded, in its order."""
    decoded = _decode(data)
    return decoded if isinstance(decoded, list) else [decoded]
