"""Pure: the protocol between two processes: bytes in, events out; commands in, bytes out.

One side has dialled and calls (`CallerWire`), the other answers (`AnswererWire`).

1. The caller says HELLO: the versions of the protocol that it speaks, the name of its application, a token, the
   compressions it knows, the largest frame it takes. Nothing else may come before it, and until it is accepted no
   frame may be larger than 64 KiB.
2. The answerer says WELCOME with the version and the compression to use, the largest frame it takes and how many
   calls it has in flight at a time; or REFUSED with a reason, and disconnects.
3. From now on the caller sends REQUESTS: one call, or several that leave together. The first has the number of the
   frame, the others those that follow, and no number is ever used again. The answerer sends, in any order, one answer
   or TROUBLE for each: a REPLY, whose body is the answer as it is, or for small ones that leave together REPLIES, in
   which each has its number. TROUBLE is about the travelling: the call was not executed (unavailable, overloaded,
   denied), or its time was up (deadline), or its answer cannot be sent.
4. CANCEL says that nobody waits for a call any more. It is not answered; a reply may cross it on the way, and is
   ignored.
5. GOAWAY says that the answerer is about to end: what is in flight is finished, further requests are answered with
   "unavailable", and the caller disconnects as soon as nothing of its own is in flight.
6. PING is answered with a PONG of the same number by both sides, whatever else is going on. Who is in the middle of a
   frame says PONG unasked, too: a question would come behind the rest of it, and the frame may take long.

Any other order, kind or content breaks the connection: the last event is BROKEN with a sentence, and nothing more is
read. Events and their order do not depend on the pieces in which the bytes come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ramet.errors import CallError, InvalidArguments
from ramet.transport.base import Call
from ramet.transport.compression import Compression, Corrupt
from ramet.transport.options import HANDSHAKE_LIMIT_BYTES
from ramet.transport.wire.framing import (
    CANCEL,
    COMPRESSED,
    GOAWAY,
    HELLO,
    PING,
    PONG,
    REFUSED,
    REPLIES,
    REPLY,
    REQUESTS,
    TROUBLE,
    WELCOME,
    Frames,
    framed,
    head,
)
from ramet.transport.wire.messages import (
    TOGETHER,
    UNREADABLE,
    VERSIONS,
    Hello,
    Trouble,
    Welcome,
    read_answers,
    read_calls,
    read_hello,
    read_trouble,
    read_welcome,
)

LAST_NUMBER = 2**64 - TOGETHER
"""Those of a frame's calls follow its own."""

BROKEN = 0
"""The event after which there are no others; its value is a sentence."""

Event = tuple[int, int, Any]
"""Its kind, which is that of the frame; the number; and what the frame said: a value of `messages`, or bytes."""

_encode = msgspec.msgpack.encode
_UNWRITABLE = (TypeError, ValueError, OverflowError)
"""What encoding raises, as of text that is none."""


class Wire:
    """What both sides have in common."""

    _usual: dict[int, Any]
    """How the kinds of nearly all frames that come are read."""
    _readers: dict[int, Any]

    def __init__(self, frame_limit_bytes: int) -> None:
        self.is_open = False
        self.broken = False
        self._own_limit = frame_limit_bytes
        self.peer_limit = HANDSHAKE_LIMIT_BYTES
        self._frames = Frames(HANDSHAKE_LIMIT_BYTES)
        self._compression: Compression | None = None
        self._compress_from = 0

    def receive(self, data: bytes) -> Iterable[Event]:
        """What has arrived with these bytes; all of it is to be taken, and each is read when it is its turn.

        Compressed, a small piece holds much more than is to be in memory at once.
        """
        if self.broken:
            return ()
        event = self._only(data) if self.is_open else None
        return self._read(data) if event is None else (event,)

    def _only(self, data: bytes) -> Event | None:
        """What has arrived with a piece that is one frame of a usual kind, as nearly all are; None is for `_read`."""
        kind, number, body = self._frames.only(data) or (0, 0, b"")
        read = self._usual.get(kind)
        if read is None or number > LAST_NUMBER:
            return None
        try:
            return kind, number, read(body)
        except UNREADABLE:
            return None

    def _read(self, data: bytes) -> Iterator[Event]:
        usual, frames, readers = self._usual, self._frames, self._readers
        try:
            for frame in frames.split(data):
                kind, number, body = frame
                if number > LAST_NUMBER:
                    raise _WrongError(f"a frame has the number {number}, and {LAST_NUMBER} is the last one")
                if kind in usual and self.is_open:
                    yield kind, number, usual[kind](body)
                    continue
                if kind & COMPRESSED:
                    kind, body = kind & ~COMPRESSED, self._decompressed(body)
                self._check(kind, body)
                yield kind, number, readers[kind](body)
        except UNREADABLE as error:
            yield self._break(f"a frame cannot be read: {error}")
        except (Corrupt, _WrongError) as error:
            yield self._break(str(error))
        else:
            if frames.broken:
                yield self._break(frames.broken)

    @property
    def is_within_frame(self) -> bool:
        """Whether a frame is on its way here, of which the rest has not come yet."""
        return self._frames.is_within

    def ping(self, number: int) -> bytes:
        """Ask whether the other side is there."""
        return framed(PING, number)

    def pong(self, number: int) -> bytes:
        """The answer to a ping."""
        return framed(PONG, number)

    def _check(self, kind: int, body: bytes) -> None:
        """Raises: _WrongError where a frame is not allowed now, or says more than it may."""
        if kind not in self._readers:
            raise _WrongError(f"a frame of kind {kind} came, which this side does not take")
        if self.is_open is (kind in {HELLO, WELCOME, REFUSED}):
            raise _WrongError(f"a frame of kind {kind} came {'after' if self.is_open else 'before'} the handshake")
        if body and kind in {CANCEL, GOAWAY, PING, PONG}:
            raise _WrongError(f"a frame of kind {kind} came with a body")

    def _decompressed(self, body: bytes) -> bytes:
        if self._compression is None:
            raise Corrupt("a compressed body came, and no compression was agreed on")
        return self._compression.decompress(body, self._own_limit)

    def _break(self, sentence: str) -> Event:
        self.broken = True
        return BROKEN, 0, sentence

    def _open(self, peer_limit: int, compression: Compression | None, compress_from: int) -> None:
        self.is_open = True
        self._frames.limit_bytes = self._own_limit
        self.peer_limit = min(self._own_limit, peer_limit) or self._own_limit
        self._compression, self._compress_from = compression, compress_from

    def _together(self, kind: int, number: int, gathered: object) -> bytes | None:
        """Several in one frame; None where that cannot be."""
        try:
            return self._frame(kind, number, _encode(gathered))
        except (*_UNWRITABLE, _TooLargeError):
            return None

    def _frame(self, kind: int, number: int, body: bytes) -> bytes:
        """Raises: _TooLargeError where the other side does not take it."""
        if len(body) > self.peer_limit:
            raise _TooLargeError(f"{len(body)} bytes")
        if self._compression is not None:
            kind, body = self._sealed(kind, body)
        return head(len(body), kind, number) + body

    def _sealed(self, kind: int, body: bytes) -> tuple[int, bytes]:
        """The kind and body of a frame, compressed where that was agreed on and makes it smaller."""
        if self._compression is not None and len(body) >= self._compress_from:
            smaller = self._compression.compress(body)
            if len(smaller) < len(body):
                return kind | COMPRESSED, smaller
        return kind, body


class CallerWire(Wire):
    """The side that dialled."""

    def __init__(self, frame_limit_bytes: int, compression: Compression | None = None, compress_from: int = 0) -> None:
        super().__init__(frame_limit_bytes)
        self._offered, self._offered_from = compression, compress_from
        self._usual = {REPLY: _as_it_is, REPLIES: read_answers}
        self._readers = {
            **self._usual,
            WELCOME: self._welcomed,
            REFUSED: read_trouble,
            TROUBLE: read_trouble,
            GOAWAY: _as_it_is,
            PING: _as_it_is,
            PONG: _as_it_is,
        }

    def hello(self, *, application: str, name: str, token: bytes) -> bytes:
        """The first thing to send. Raises: InvalidArguments where the token is too large for it."""
        hello = Hello(
            versions=VERSIONS,
            application=application,
            name=name,
            token=token,
            compressions=() if self._offered is None else (self._offered.name,),
            frame_limit_bytes=self._own_limit,
        )
        body = _encode(hello)
        if len(body) > HANDSHAKE_LIMIT_BYTES:
            raise InvalidArguments(f"A token of {len(token)} bytes is too large to introduce oneself with.")
        return framed(HELLO, 0, body)

    def request(self, number: int, call: Call, now: float) -> bytes:
        """A call. Raises: InvalidArguments where it cannot be sent: what it says, or how much."""
        try:
            return self._frame(REQUESTS, number, _encode((now, (call,))))
        except _UNWRITABLE as error:
            raise InvalidArguments(f"{call.method}: the call cannot be sent: {error}.") from error
        except _TooLargeError as error:
            raise InvalidArguments(
                f"{call.method}: a call of {error} is too large to be sent; {self.peer_limit} are the most. "
                f"Send less at a time, or a reference to where it lies."
            ) from None

    def requests(self, number: int, calls: Sequence[Call], now: float) -> bytes | None:
        """Several, the first with this number; None where that cannot be, whichever is at fault."""
        return self._together(REQUESTS, number, (now, calls))

    def cancel(self, number: int) -> bytes:
        """Nobody waits for this call any more."""
        return framed(CANCEL, number)

    def _welcomed(self, body: bytes) -> Welcome:
        welcome = read_welcome(body)
        if welcome.version not in VERSIONS:
            raise _WrongError(f"the other side wants to speak version {welcome.version}, which is not known here")
        if welcome.compression not in {"", self._offered.name if self._offered is not None else ""}:
            raise _WrongError(f"the other side wants to compress with {welcome.compression}, which was not offered")
        self._open(welcome.frame_limit_bytes, self._offered if welcome.compression else None, self._offered_from)
        return welcome


class AnswererWire(Wire):
    """The side that was dialled."""

    def __init__(self, frame_limit_bytes: int) -> None:
        super().__init__(frame_limit_bytes)
        self._greeted = False
        self._usual = {REQUESTS: read_calls}
        self._readers = {
            **self._usual,
            HELLO: self._hello,
            CANCEL: _as_it_is,
            PING: _as_it_is,
            PONG: _as_it_is,
        }

    def welcome(self, hello: Hello, welcome: Welcome, compression: Compression | None, compress_from: int) -> bytes:
        """Let the other side in."""
        self._open(hello.frame_limit_bytes, compression, compress_from)
        return framed(WELCOME, 0, _encode(welcome))

    def refuse(self, code: str, sentence: str) -> bytes:
        """Do not let it in."""
        return framed(REFUSED, 0, _encode(Trouble(code, sentence)))

    def reply(self, number: int, answer: bytes) -> bytes:
        """The answer of a call. Raises: CallError where it is larger than the other side takes."""
        if self._compression is None and len(answer) <= self.peer_limit:
            return head(len(answer), REPLY, number) + answer
        return b"".join(self.reply_apart(number, answer))

    def replies(self, answers: Sequence[tuple[int, bytes]]) -> bytes | None:
        """Several, each with its number; None where that is larger than the other side takes."""
        return self._together(REPLIES, 0, answers)

    def reply_apart(self, number: int, answer: bytes) -> tuple[bytes, bytes]:
        """As `reply`, in two pieces, so that a large answer is not copied. Raises: CallError."""
        if len(answer) > self.peer_limit:
            raise CallError(
                f"it was executed, but its answer of {len(answer)} bytes is too large to be sent; "
                f"{self.peer_limit} are the most"
            )
        kind, body = self._sealed(REPLY, answer)
        return head(len(body), kind, number), body

    def trouble(self, number: int, code: str, sentence: str) -> bytes:
        """Why a call has no answer."""
        return framed(TROUBLE, number, _encode(Trouble(code, sentence)))

    def goaway(self) -> bytes:
        """This side is about to end."""
        return framed(GOAWAY, 0)

    def _hello(self, body: bytes) -> Hello:
        if self._greeted:
            raise _WrongError("a second hello came")
        self._greeted = True
        return read_hello(body)


def common_version(hello: Hello) -> int | None:
    """The best version that both sides speak; None where there is none."""
    return max(set(hello.versions) & set(VERSIONS), default=None)


class _TooLargeError(Exception):
    """More than the other side takes."""


class _WrongError(Exception):
    """A frame that breaks the protocol."""


def _as_it_is(body: bytes) -> bytes:
    return body
