"""Compression of large bodies, where a link is slow enough for it to pay, and a bound for what comes out."""

from __future__ import annotations

from typing import Protocol

from ramet.errors import MissingExtra

LEVEL = 1


class Corrupt(Exception):
    """A body cannot be decompressed, or would be larger than is taken."""


class Compression(Protocol):
    """One way to compress, by the name under which the two sides agree on it."""

    name: str

    def compress(self, body: bytes) -> bytes:
        """The body, smaller if it can be."""
        ...

    def decompress(self, body: bytes, limit_bytes: int) -> bytes:
        """The body as it was. Raises: Corrupt, before more than `limit_bytes` of memory are taken."""
        ...


class Zstandard:
    """zstd (RFC 8878) at level 1, which keeps up with links of a gigabit a second. Raises: MissingExtra."""

    name = "zstd"

    def __init__(self) -> None:
        try:
            import zstandard
        except ImportError as error:
            raise MissingExtra("zstandard", "processes", "Compressing calls between hosts") from error
        self._size_of = zstandard.frame_content_size
        self._failure = zstandard.ZstdError
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def compress(self, body: bytes) -> bytes:
        """With the size of the body in its head."""
        return self._compressor.compress(body)

    def decompress(self, body: bytes, limit_bytes: int) -> bytes:
        """What does not say its size is refused: a bomb announces itself, or is corrupt when it turns out larger."""
        try:
            size = self._size_of(body)
            if not 0 <= size <= limit_bytes:
                raise Corrupt(f"a compressed body holds {size} bytes, and {limit_bytes} are the most")
            return self._decompressor.decompress(body)
        except self._failure as error:
            raise Corrupt(f"a compressed body cannot be read: {error}") from error


def zstandard_if_installed() -> Compression | None:
    """None where the library is not there: then nothing is compressed."""
    try:
        return Zstandard()
    except MissingExtra:
        return None
