"""Sends files: ranges, entity tags, conditional requests (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from ramet.contract.web.responses import File
from ramet.errors import NotFound
from ramet.http.headers import header, header_list

PIECE = 256 * 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """What is sent of a file: `status` 200, 206, 304 or 416, and the bytes from `start` up to, not including, `end`."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    start: int = 0
    end: int = 0


async def select(file: File, asked: Mapping[bytes, bytes]) -> Selected:
    """Decide what to send. Raises: NotFound when there is no such file."""
    size, tag, changed = await _facts(file.source)
    headers = [
        (b"etag", tag.encode()),
        (b"accept-ranges", b"bytes"),
        header("content-type", _media_type(file)),
        *header_list(file.headers),
    ]
    if changed is not None:
        headers.append((b"last-modified", formatdate(changed, usegmt=True).encode()))
    if file.filename is not None:
        headers.append((b"content-disposition", f"attachment; filename*=utf-8''{quote(file.filename)}".encode()))
    if _unchanged(asked, tag, changed):
        return Selected(status=304, headers=tuple(headers))
    span = _span(asked, size, tag, changed)
    if span is None:
        return Selected(status=200, headers=(*headers, (b"content-length", b"%d" % size)), end=size)
    start, end = span
    if start >= end:
        return Selected(
            status=416, headers=(*headers, (b"content-range", b"bytes */%d" % size), (b"content-length", b"0"))
        )
    part = (b"content-range", b"bytes %d-%d/%d" % (start, end - 1, size))
    return Selected(
        status=206, headers=(*headers, part, (b"content-length", b"%d" % (end - start))), start=start, end=end
    )


async def pieces(file: File, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a file, read outside of the loop."""
    if isinstance(file.source, bytes):
        yield file.source[start:end]
        return
    loop = asyncio.get_running_loop()
    opened: BinaryIO = await loop.run_in_executor(None, _open, file.source)
    try:
        await loop.run_in_executor(None, opened.seek, start)
        while start < end and (piece := await loop.run_in_executor(None, opened.read, min(PIECE, end - start))):
            start += len(piece)
            yield piece
    finally:
        opened.close()


def _open(path: Path) -> BinaryIO:
    return open(path, "rb")  # noqa: PTH123 - a path may come as a string; closed by the caller


async def _facts(source: Path | bytes) -> tuple[int, str, float | None]:
    if isinstance(source, bytes):
        return len(source), f'"{hashlib.blake2b(source, digest_size=12).hexdigest()}"', None
    try:
        facts = await asyncio.get_running_loop().run_in_executor(None, Path(source).stat)
    except OSError:
        raise NotFound("There is no such file.") from None
    return facts.st_size, f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"', facts.st_mtime


def _media_type(file: File) -> str:
    if file.media_type is not None:
        return file.media_type
    name = file.filename or (file.source.name if isinstance(file.source, Path) else "")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _unchanged(asked: Mapping[bytes, bytes], tag: str, changed: float | None) -> bool:
    if (tags := asked.get(b"if-none-match")) is not None:
        known = [each.strip().removeprefix("W/") for each in tags.decode("latin-1").split(",")]
        return tag in known or "*" in known
    since = _moment(asked.get(b"if-modified-since"))
    return since is not None and changed is not None and int(changed) <= since


def _span(asked: Mapping[bytes, bytes], size: int, tag: str, changed: float | None) -> tuple[int, int] | None:
    """The range that was asked for; None for all of it, also when several ranges were asked for (which is allowed)."""
    match = RANGE.fullmatch(asked.get(b"range", b"").decode("latin-1").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if (condition := asked.get(b"if-range")) is not None and condition.decode("latin-1") != tag:
        since = _moment(condition)
        if since is None or changed is None or int(changed) > since:
            return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), min(size, int(match[2]) + 1) if match[2] else size


def _moment(text: bytes | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text.decode("latin-1")).timestamp()
    except (ValueError, TypeError):
        return None
