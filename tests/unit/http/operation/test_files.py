"""Files are sent whole, in part, or not at all."""

from __future__ import annotations

import os
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.web.responses import File
from ramet.errors import NotFound
from ramet.http.operation.files import pieces, select

DIGITS = File(b"0123456789")


async def span(value: str) -> tuple[int, int, int]:
    chosen = await select(DIGITS, {b"range": value.encode()})
    return chosen.status, chosen.start, chosen.end


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", (206, 0, 1)),
        ("bytes=2-", (206, 2, 10)),
        ("bytes=-3", (206, 7, 10)),
        ("bytes=5-99", (206, 5, 10)),
        ("bytes=-99", (206, 0, 10)),
        ("bytes=10-", (416, 0, 0)),
        ("bytes=-0", (416, 0, 0)),
        ("bytes=5-2", (416, 0, 0)),
        ("bytes=-", (200, 0, 10)),
        ("bytes=0-1,3-4", (200, 0, 10)),
        ("items=0-1", (200, 0, 10)),
        ("nonsense", (200, 0, 10)),
    ],
)
async def test_ranges(value: str, expected: tuple[int, int, int]) -> None:
    assert await span(value) == expected


async def test_a_file_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"x" * 600_000)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    chosen = await select(File(path), {})
    headers = dict(chosen.headers)
    assert (headers[b"content-type"], headers[b"content-length"]) == (b"image/png", b"600000")
    assert headers[b"last-modified"] == formatdate(1_700_000_000, usegmt=True).encode()
    assert b"".join([piece async for piece in pieces(File(path), 5, 300_000)]) == b"x" * 299_995


async def test_what_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    tag = dict((await select(File(path), {})).headers)[b"etag"]
    later, earlier = formatdate(path.stat().st_mtime + 10).encode(), formatdate(path.stat().st_mtime - 10).encode()
    asked = (
        {b"if-none-match": b'"x", W/' + tag},
        {b"if-none-match": b"*"},
        {b"if-modified-since": later},
        {b"if-none-match": b'"x"', b"if-modified-since": later},
        {b"if-modified-since": earlier},
        {b"if-modified-since": b"never"},
    )
    assert [(await select(File(path), one)).status for one in asked] == [304, 304, 304, 200, 200, 200]


async def test_a_range_of_what_has_changed_is_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    tag = dict((await select(File(path), {})).headers)[b"etag"]
    later = formatdate(path.stat().st_mtime + 10).encode()
    asked = ({b"if-range": tag}, {b"if-range": b'"old"'}, {b"if-range": later}, {b"if-range": b"nonsense"})
    assert [(await select(File(path), {b"range": b"bytes=0-1", **one})).status for one in asked] == [206, 200, 206, 200]


async def test_a_file_that_is_not_there() -> None:
    with pytest.raises(NotFound):
        await select(File(Path("/does/not/exist")), {})


@given(st.binary(max_size=30))
async def test_no_range_breaks_it(value: bytes) -> None:
    chosen = await select(DIGITS, {b"range": value})
    assert 0 <= chosen.start <= chosen.end <= 10
