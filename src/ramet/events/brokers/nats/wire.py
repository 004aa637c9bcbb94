"""Pure: names and bytes in JetStream: subjects, events as messages, what entries hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from ramet.events.base import Message
from ramet.events.brokers.partition import partition_of


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Where a consumer began: after this position of the stream, and at the beginning of any that was made later."""

    after: int
    era: str = ""


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """When the stream was made that the first positions of the bucket are of."""

    created: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes of the application must agree on, decided by the first."""

    partitions: int


class Names:
    """The names an application has in NATS; `application` may hold characters that NATS does not take."""

    def __init__(self, application: str) -> None:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", application)
        self.stream = f"ramet_{name}"
        self.bucket = f"ramet_{name}"
        self.members = f"ramet.{name}.members"
        self._events = f"ramet.{name}.events"

    @property
    def subjects(self) -> str:
        """The subjects of the stream."""
        return f"{self._events}.>"

    def subject(self, message: Message, partitions: int) -> str:
        """Where a message is published: messages of one key in one partition, those without a key in any."""
        number = partition_of(message.id if message.key is None else message.key, partitions)
        return f"{self._events}.{number}.{message.topic}"

    def filters(self, topics: Collection[str], numbers: Collection[int], partitions: int) -> list[str]:
        """The subjects of these topics in these partitions."""
        wanted = ["*"] if len(numbers) == partitions else [str(number) for number in sorted(numbers)]
        return [f"{self._events}.{number}.{topic}" for topic in sorted(topics) for number in wanted]

    def partition(self, subject: str) -> tuple[int, str]:
        """The partition and the topic that a subject names."""
        number, _, topic = subject[len(self._events) + 1 :].partition(".")
        return int(number), topic


class Origin(NamedTuple):
    """Where a delivered message stands: the reader's name, the position in the stream, its place in the delivery."""

    reader: str
    position: int
    place: int


def origin(reply: str) -> Origin:
    """What the reply subject of a delivered message says.

    >>> origin("$JS.ACK.ramet_shop.r7.1.42.3.1700000000.0")
    Origin(reader='r7', position=42, place=3)
    """
    tokens = reply.split(".")
    first = 2 if len(tokens) < 11 else 4  # since 2.9 a domain and an account may stand before the stream
    return Origin(tokens[first + 1], int(tokens[first + 3]), int(tokens[first + 4]))


def publish_id(messages: Sequence[Message]) -> str:
    """What JetStream recognises a repeated pack by, as a header takes it: the only id, or a digest of all of them."""
    name = messages[0].id
    if len(messages) == 1 and name and name.isascii() and name.isprintable() and name == name.strip():
        return name
    names = "\n".join(message.id for message in messages)
    return hashlib.blake2b(names.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def why_not_stored(answer: bytes) -> str:
    """Why JetStream did not store something.

    >>> why_not_stored(b'{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}')
    'maximum bytes exceeded'
    """
    try:
        return str(msgspec.json.decode(answer)["error"]["description"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return answer.decode(errors="replace")
