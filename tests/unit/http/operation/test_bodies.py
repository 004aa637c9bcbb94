"""Bodies are read within their limit, however they are cut into pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.web.request import Receive, Upload
from ramet.http.operation.bodies import (
    Disconnected,
    check_head,
    check_json,
    close_form,
    limited,
    read_form,
    read_whole,
)
from ramet.http.refusals import BodyTooLarge, MalformedBody, UnsupportedMediaType

MULTIPART = {b"content-type": b"multipart/form-data; boundary=cut"}


def arriving(pieces: Sequence[bytes], *, leaves: bool = False) -> Receive:
    messages: list[Any] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append(
        {"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b"", "more_body": False}
    )

    async def receive() -> Any:
        return messages.pop(0)

    return receive


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def form(**parts: bytes) -> bytes:
    body = b""
    for name, value in parts.items():
        body += b'--cut\r\nContent-Disposition: form-data; name="%s"' % name.encode()
        body += b'; filename="a.bin"\r\nContent-Type: image/png' if name.startswith("file") else b""
        body += b"\r\n\r\n%s\r\n" % value
    return body + b"--cut--\r\n"


async def test_a_whole_body() -> None:
    assert await read_whole(arriving([b"one ", b"two"]), 7) == b"one two"


@pytest.mark.parametrize("pieces", [[b"12345678"], [b"1234", b"5678"], [b"1234567", b"8"]])
async def test_a_body_beyond_its_limit(pieces: list[bytes]) -> None:
    with pytest.raises(BodyTooLarge, match="larger than the 7 bytes"):
        await read_whole(arriving(pieces), 7)


async def test_a_client_that_leaves() -> None:
    with pytest.raises(Disconnected):
        await read_whole(arriving([b"12"], leaves=True), 7)
    with pytest.raises(Disconnected):
        await limited(arriving([], leaves=True), 7)()
    with pytest.raises(Disconnected):
        await read_form(arriving([b"--cut\r\n"], leaves=True), MULTIPART, 100)


def test_what_a_request_says_of_itself() -> None:
    check_head({b"content-length": b"7"}, 7)
    check_head({}, 7)
    check_json({})
    check_json({b"content-type": b"Application/JSON; charset=utf-8"})
    with pytest.raises(BodyTooLarge):
        check_head({b"content-length": b"8"}, 7)
    check_head({b"content-encoding": b"identity"}, 7)
    with pytest.raises(UnsupportedMediaType, match="The body is coded as gzip; this operation takes it as it is"):
        check_head({b"content-encoding": b"gzip"}, 7)
    with pytest.raises(UnsupportedMediaType, match="The body is text/plain; this operation takes application/json"):
        check_json({b"content-type": b"text/plain"})


@given(st.text(max_size=20), st.binary(max_size=60), st.lists(st.integers(0, 400), max_size=12))
def test_a_form_arrives_however_it_is_cut(text: str, content: bytes, places: list[int]) -> None:
    body = form(name=text.encode(), file=content, name2=b"")
    found = asyncio.run(read_form(arriving(cut(body, places)), MULTIPART, 10_000))
    upload = found["file"][0]
    assert isinstance(upload, Upload)
    assert (found["name"], found["name2"], upload.read()) == ([text], [""], content)
    assert (upload.filename, upload.content_type, upload.size) == ("a.bin", "image/png", len(content))
    close_form(found)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_no_form_breaks_the_reader(body: bytes, places: list[int]) -> None:
    try:
        close_form(asyncio.run(read_form(arriving(cut(b"--cut\r\n" + body, places)), MULTIPART, 1000)))
    except (MalformedBody, BodyTooLarge):
        pass


async def test_a_form_has_limits() -> None:
    with pytest.raises(BodyTooLarge):
        await read_form(arriving([form(file=b"x" * 200)]), MULTIPART, 100)
    with pytest.raises(MalformedBody, match="has no name"):
        await read_form(arriving([b"--cut\r\nx: y\r\n\r\nz\r\n--cut--\r\n"]), MULTIPART, 100)


async def test_a_form_without_files_may_be_url_encoded() -> None:
    headers = {b"content-type": b"application/x-www-form-urlencoded"}
    assert await read_form(arriving([b"a=1&a=2&b=x%20y+z"]), headers, 100) == {"a": ["1", "2"], "b": ["x y z"]}


@pytest.mark.parametrize("kind", [b"", b"application/json", b"multipart/form-data"])
async def test_anything_else_is_no_form(kind: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        await read_form(arriving([]), {b"content-type": kind}, 100)
