"""Pure: frames, which are how messages lie in a stream of bytes.

A frame is a head of 13 bytes and a body. The head, big-endian: the length of the body (4 bytes), the kind (1 byte; its
highest bit says that the body is compressed), and a number (8 bytes), which is the same in a request and in whatever
concerns it later. A stream is frames without anything in between.
"""

from __future__ import annotations

from struct import Struct

HELLO, WELCOME, REFUSED = 1, 2, 3
REQUESTS, REPLY, TROUBLE, CANCEL = 4, 5, 6, 7
GOAWAY, PING, PONG, REPLIES = 8, 9, 10, 11
COMPRESSED = 0x80

Frame = tuple[int, int, bytes]
"""Kind, number, body."""

PIECES = 64
"""Of one frame, that are kept as they came."""

_HEAD = Struct("!IBQ")
HEAD_BYTES = _HEAD.size
_unpack = _HEAD.unpack_from
head = _HEAD.pack
"""What travels before a body: its length, the kind, and the number."""


def framed(kind: int, number: int, body: bytes = b"") -> bytes:
    """A frame as it travels."""
    return head(len(body), kind, number) + body


class Frames:
    """Takes a stream apart, whatever pieces it comes in, and keeps what is not whole yet.

    It keeps less than one frame of at most `limit_bytes`. A frame that announces more ends everything: `broken` says so
    in a sentence, and nothing is taken any more.
    """

    __slots__ = ("_kept", "_needed", "_size", "broken", "limit_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.broken = ""
        self._kept: list[bytes | bytearray] = []
        self._size = 0
        self._needed = HEAD_BYTES

    def only(self, data: bytes) -> Frame | None:
        """The frame that this piece is; None where it is another piece, which is for `split`."""
        if self._size or len(data) < HEAD_BYTES:
            return None
        length, kind, number = _unpack(data)
        if HEAD_BYTES + length != len(data) or length > self.limit_bytes:
            return None
        return kind, number, data[HEAD_BYTES:]

    @property
    def is_within(self) -> bool:
        """Whether a part of a frame has come."""
        return self._size > 0

    def split(self, data: bytes) -> list[Frame]:
        """The frames that are whole with this piece."""
        found: list[Frame] = []
        at = self._complete(data, found) if self._size else 0
        end, needed = len(data), HEAD_BYTES
        if self.broken:
            return found
        while end - at >= HEAD_BYTES:
            length, kind, number = _unpack(data, at)
            if length > self.limit_bytes:
                return self._break(length, found)
            body = at + HEAD_BYTES
            after = body + length
            if after > end:
                needed = HEAD_BYTES + length
                break
            found.append((kind, number, data[body:after]))
            at = after
        if at < end:
            self._keep(data[at:] if at else data)
            self._needed = needed
        return found

    def _keep(self, piece: bytes) -> None:
        """Pieces are put together once, when the last one has come: a large body is copied once.

        Somebody who sends it in very small pieces must not make them weigh more than what they hold.
        """
        kept = self._kept
        if len(kept) >= PIECES:
            if not isinstance(kept[0], bytearray):
                kept[0] = bytearray(kept[0])
            for other in kept[1:]:
                kept[0] += other
            del kept[1:]
        kept.append(piece)
        self._size += len(piece)

    def _complete(self, data: bytes, found: list[Frame]) -> int:
        """Finish the frame that had begun with an earlier piece; gives back how much of this one that took."""
        at = 0
        while True:
            after = at + self._needed - self._size
            if len(data) < after:
                if at < len(data):
                    self._keep(data[at:] if at else data)
                return len(data)
            if self._needed > HEAD_BYTES:
                found.append(self._whole(memoryview(data)[at:after]))
                return after
            self._keep(data[at:after])
            at = after
            length, kind, number = _unpack(b"".join(self._kept), 0)
            if length > self.limit_bytes:
                self._break(length, found)
                return at
            self._needed = HEAD_BYTES + length
            if not length:
                self._kept, self._size = [], 0
                found.append((kind, number, b""))
                return at

    def _whole(self, rest: memoryview) -> Frame:
        """The frame that is kept, and ends with this."""
        kept, self._kept, self._size = self._kept, [], 0
        if len(kept[0]) < HEAD_BYTES:
            kept = [b"".join(kept)]
        _, kind, number = _unpack(kept[0], 0)
        return kind, number, b"".join((memoryview(kept[0])[HEAD_BYTES:], *kept[1:], rest))

    def _break(self, length: int, found: list[Frame]) -> list[Frame]:
        self.broken = f"a frame announced {length} bytes, and {self.limit_bytes} are the most"
        self._kept, self._size = [], 0
        return found
