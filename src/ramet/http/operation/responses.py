"""Turns what an operation returns into the messages of an ASGI answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from ramet.contract.web.pages import Paged
from ramet.contract.web.responses import File, Redirect, Reply, Response, Stream
from ramet.http.headers import HeaderList, header, header_list, json_headers
from ramet.http.operation.files import pieces, select

Send = Callable[[Any], Awaitable[None]]
SAFE = "!#$%&'()*+,/:;=?@[]~"

encode_json = msgspec.json.Encoder().encode


async def send_whole(send: Send, status: int, headers: HeaderList, body: bytes) -> None:
    """An answer in one piece."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_pieces(send: Send, status: int, headers: HeaderList, pieces: AsyncIterator[bytes]) -> None:
    """An answer in pieces, as they come."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def link_to_next(page: Paged[Any], scope: Mapping[str, Any]) -> HeaderList:
    """The Link header (RFC 8288) that leads to the page after this one."""
    if page.next is None:
        return []
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] != "cursor"] + [("cursor", page.next)])
    return [(b"link", f'<{quote(scope["path"])}?{query}>; rel="next"'.encode("latin-1"))]


async def send_answer(send: Send, answer: Response, status: int, extra: HeaderList, scope: Mapping[str, Any]) -> None:
    """Send an answer that is more than a body; `status` is what it has unless it says so itself."""
    match answer:
        case Redirect():
            location = (b"location", quote(answer.url, safe=SAFE).encode("latin-1"))
            await send_whole(send, answer.status, [location, (b"content-length", b"0"), *extra], b"")
        case Reply():
            await _send_reply(send, answer, answer.status or status, extra)
        case File():
            chosen = await select(answer, dict(scope["headers"]))
            content = pieces(answer, chosen.start, chosen.end)
            await send_pieces(send, chosen.status, [*chosen.headers, *extra], content)
        case Stream():
            headers = [header("content-type", answer.media_type), *header_list(answer.headers), *extra]
            await send_pieces(send, status, headers, answer.pieces)
        case _:
            raise TypeError(f"{type(answer).__name__} is no answer that can be sent")


async def _send_reply(send: Send, answer: Reply[Any], status: int, extra: HeaderList) -> None:
    body = b"" if status in (204, 304) else encode_json(answer.body)
    headers = [] if status in (204, 304) else json_headers(body)
    headers += header_list(answer.headers)
    headers += [header("set-cookie", f"{name}={value}") for name, value in answer.cookies.items()]
    await send_whole(send, status, headers + extra, body)
