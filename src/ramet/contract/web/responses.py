"""What a method of an `Api` may give besides plain values: replies with headers, redirects, files, streams, events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from ramet.contract.struct import Struct

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


class Response:
    """The base of responses that are more than a body."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reply(Response, Generic[T]):
    """An answer with its own status, headers or cookies; a `cookies` value may carry attributes after a semicolon.

    A status of None is the route's.
    """

    body: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redirect(Response):
    """Sends the client elsewhere: 303 "see other" fits after a form and for a page that has moved for now."""

    url: str
    status: int = 303


@dataclass(frozen=True, slots=True)
class File(Response):
    """A file, by path or content. Ranges, `If-None-Match` and `If-Modified-Since` are answered.

    `filename` makes browsers save it under that name; `media_type` is guessed from the name unless given.
    """

    source: Path | bytes
    media_type: str | None = None
    filename: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream(Response):
    """Bytes as they come; the deadline of the request ends at the first piece."""

    pieces: AsyncIterator[bytes]
    media_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


class Message(Struct, Generic[T]):
    """One server-sent event with its `id` (given back by browsers as Last-Event-ID) and name."""

    data: T
    id: str | None = None
    event: str | None = None
    retry_seconds: float | None = None


EventStream = AsyncIterator[T | Message[T]]
"""The result of a method that yields server-sent events: values, or `Message`s where they need an id or a name."""
