"""Pure: names and bytes in Redis: keys, identifiers as positions, entries as text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ramet.events.base import Message
from ramet.events.brokers.holding import Entry
from ramet.events.brokers.partition import partition_of

_SEQUENCE_BITS = 64
_SEQUENCE = (1 << _SEQUENCE_BITS) - 1


class Names:
    """The keys of an application; `members` is a channel, which all databases of a server share."""

    def __init__(self, application: str, database: int = 0) -> None:
        self.positions = f"ramet:{application}:positions"
        self.layout = f"ramet:{application}:layout"
        self.members = f"ramet:{application}:members:{database}"
        self.events = partial("ramet:{}:events:{}".format, application)

    def all(self, partitions: int) -> list[str]:
        """Every key."""
        return [self.positions, self.layout, *map(self.events, range(partitions))]


def route_of(message: Message, partitions: int) -> str:
    """Messages of one key in one partition, those without a key in any; by topic, which readers choose by."""
    number = partition_of(message.id if message.key is None else message.key, partitions)
    return f"{number} {message.topic}"


def position_of(identifier: bytes) -> int:
    """An entry's identifier in a stream, which are in order, as a number.

    >>> identifier_of(position_of(b"1700000000000-7") - 8)
    '1699999999999-18446744073709551615'
    """
    milliseconds, _, sequence = identifier.partition(b"-")
    return int(milliseconds) << _SEQUENCE_BITS | int(sequence)


def identifier_of(position: int) -> str:
    """A position as Redis has it."""
    return f"{position >> _SEQUENCE_BITS}-{position & _SEQUENCE}"


def position_at(seconds: float) -> int:
    """The first position of a moment, in seconds since the epoch."""
    return int(seconds * 1000) << _SEQUENCE_BITS


def field_of(consumer: str, number: int) -> str:
    """The field of `positions` for a partition of a consumer."""
    return f"{consumer} {number}"


def entry_text(entry: Entry) -> str:
    """An entry; in the store its revision stands before it."""
    return f"{identifier_of(entry.floor)} {entry.owner}"


def read_entry(text: bytes | None) -> tuple[Entry, int]:
    """What the store has, with its revision.

    >>> read_entry(b"3 0-5 me")
    (Entry(owner='me', floor=5), 3)
    """
    if text is None:
        return Entry(), 0
    revision, identifier, owner = text.split(b" ", 2)
    return Entry(owner=owner.decode(), floor=position_of(identifier)), int(revision)


def done_by_all(positions: Iterable[tuple[bytes, bytes]], number: int) -> int | None:
    """Up to where every consumer has done what is in a partition; None without consumers."""
    suffix = b" %d" % number
    return min((read_entry(text)[0].floor for field, text in positions if field.endswith(suffix)), default=None)
