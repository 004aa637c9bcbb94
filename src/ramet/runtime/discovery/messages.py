"""Pure: what a replica and its supervisor tell each other, a line of JSON each: frozen values with a tag."""

from __future__ import annotations

import msgspec

from ramet.model.application import Value
from ramet.runtime.operators.requests import Counts
from ramet.transport.base import Endpoint

BEAT_SECONDS = 0.5
"""How often a replica says that it is alive."""
COUNTED_EVERY = 4
"""With each of so many beats it says what it has counted, if anything: what a crash makes forget is no more."""
LONGEST_LINE = 4 * 1024 * 1024


class Hello(Value, tag="hello"):
    """The first line of a connection: which replica it is, and of which groups it wants to hear."""

    group: str
    replica: int
    pid: int
    watched: tuple[str, ...] = ()


class Watch(Value, tag="watch"):
    """It wants to hear of one group more, whose endpoints are told at once."""

    group: str


class Registered(Value, tag="registered"):
    """Where it will answer."""

    endpoint: Endpoint


class Ready(Value, tag="ready"):
    """It answers."""


class Beat(Value, tag="beat"):
    """Its loop turns; `counts` is what it has counted, where that is not what it said last."""

    counts: Counts | None = None


class Leaving(Value, tag="leaving"):
    """It ends, and is not to be sent anything more."""


class Endpoints(Value, tag="endpoints"):
    """All that are ready, of those groups that are watched; what is not named has not changed.

    None where there are none, and none is about to come.
    """

    groups: dict[str, tuple[Endpoint, ...] | None]


class Drain(Value, tag="drain"):
    """Finish what is in flight, and end."""


Told = Hello | Watch | Registered | Ready | Beat | Leaving
Heard = Endpoints | Drain

encode = msgspec.json.Encoder().encode
decode_told = msgspec.json.Decoder(Told).decode
decode_heard = msgspec.json.Decoder(Heard).decode


def line(message: Told | Heard) -> bytes:
    """A message as it is sent."""
    return encode(message) + b"\n"
