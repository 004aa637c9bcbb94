"""Pure: an event as the body of a broker's message, and back."""

from __future__ import annotations

import msgspec

from ramet.events.base import Message

encode_message = msgspec.msgpack.Encoder().encode
decode_message = msgspec.msgpack.Decoder(Message).decode
