"""Pure: frames, which are how messages lie in a stream of bytes.

A frame is a head of 13 bytes and a body. The head, big-endian: the length of the body (4 bytes), the kind (1 byte; its
highest bit says that the body is compressed), and a number (8 bytes), which is the same in a request and in whatever
concerns it later. A stream is frames without anything in between.
"""

from __future__ import annotations

from struct import Struct

HELLO, WELCOME, REFUSED = 1, 2, 3
REQUEST, REPLY, TROUBLE, CANCEL = 4, 5, 6, 7
GOAWAY, PING, PONG = 8, 9, 10
COMPRESSED = 0x80

Frame = tuple[int, int, bytes]
"""Kind, number, body."""

_HEAD = Struct("!IBQ")
HEAD_BYTES = _HEAD.size
_pack, _unpack = _HEAD.pack, _HEAD.unpack_from


def framed(kind: int, number: int, body: bytes = b"") -> bytes:
    """A frame as it travels."""
    return _pack(len(body), kind, number) + body


class Frames:
    """Takes a stream apart, whatever pieces it comes in, and keeps what is not whole yet.

    It keeps less than one frame of at most `limit_bytes`. A frame that announces more ends everything: `broken` says so
    in a sentence, and nothing is taken any more.
    """

    __slots__ = ("_kept", "_needed", "broken", "limit_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.broken = ""
        self._kept = bytearray()
        self._needed = HEAD_BYTES

    def split(self, data: bytes) -> list[Frame]:
        """The frames that are whole with this piece."""
        found: list[Frame] = []
        at = self._complete(data, found) if self._kept else 0
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
            self._kept += data[at:] if at else data
            self._needed = needed
        return found

    def _complete(self, data: bytes, found: list[Frame]) -> int:
        """Finish the frame that had begun with an earlier piece; gives back how much of this one that took."""
        kept, at = self._kept, 0
        while True:
            after = at + self._needed - len(kept)
            kept += data[at:after]
            if len(data) < after:
                return len(data)
            at = after
            length, kind, number = _unpack(kept, 0)
            if length > self.limit_bytes:
                self._break(length, found)
                return at
            self._needed = HEAD_BYTES + length
            if len(kept) == self._needed:
                found.append((kind, number, bytes(memoryview(kept)[HEAD_BYTES:])))
                self._kept = bytearray()
                return at

    def _break(self, length: int, found: list[Frame]) -> list[Frame]:
        self.broken = f"a frame announced {length} bytes, and {self.limit_bytes} are the most"
        self._kept = bytearray()
        return found
