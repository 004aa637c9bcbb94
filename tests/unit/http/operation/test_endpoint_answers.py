"""An operation answers with values, files, redirects, streams and events, and takes files."""

from __future__ import annotations

import asyncio

from ramet.clock import VirtualClock
from ramet.tasks import Tasks
from tests.unit.http.asgi import ask, served
from tests.unit.http.shop import Shop


async def test_replies_redirects_and_streams() -> None:
    async with served(Shop()) as app:
        reply = await ask(app, "POST", "/api/reply")
        away = await ask(app, "GET", "/api/elsewhere")
        stream = await ask(app, "GET", "/api/stream")
        either = [await ask(app, "GET", f"/api/either/{kind}") for kind in ("line", "away", "none")]
        forged = [await ask(app, "GET", f"/api/forged/{what}") for what in ("header", "cookie", "file", "type")]
    assert (reply.status, reply.headers["x-kind"], reply.headers["set-cookie"]) == (202, "new", "sid=1; HttpOnly")
    assert (away.status, away.headers["location"]) == (303, "/api/lines/%C3%A9%20x")
    assert (stream.body, stream.headers["content-type"]) == (b"one two", "text/plain")
    assert [answer.status for answer in either] == [200, 303, 200]
    assert either[2].body == b""
    assert [answer.status for answer in forged] == [500] * 4


async def test_files() -> None:
    async with served(Shop()) as app:
        whole = await ask(app, "GET", "/api/file")
        part = await ask(app, "GET", "/api/file", headers={"range": "bytes=2-4"})
        same = await ask(app, "GET", "/api/file", headers={"if-none-match": whole.headers["etag"]})
        missing = await ask(app, "GET", "/api/missing")
        head = await ask(app, "HEAD", "/api/file")
    assert (whole.body, whole.headers["content-type"]) == (b"0123456789", "text/plain; charset=utf-8")
    assert whole.headers["content-disposition"] == "attachment; filename*=utf-8''digits%20%C3%A9.txt"
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert (same.status, same.body, missing.status) == (304, b"", 404)
    assert (head.headers["content-length"], head.body) == ("10", b"")


async def test_server_sent_events() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body == (
        b'data: {"sku":"a","quantity":1}\n\ndata: {"sku":"b","quantity":1}\nid: 7\nevent: line\nretry: 1500\n\n'
    )


async def test_a_stream_that_fails_before_its_first_event_is_a_problem() -> None:
    async with served(Shop()) as app:
        early = await ask(app, "GET", "/api/events?fail=early")
        late = await ask(app, "GET", "/api/events?fail=late")
    assert (early.status, early.json["code"]) == (409, "out-of-stock")
    assert late.status == 200
    assert b'event: error\ndata: {"type":"/api/docs#out-of-stock"' in late.body


async def test_a_quiet_stream_is_kept_alive_and_ends_when_the_server_closes() -> None:
    clock, tasks = VirtualClock(), Tasks()
    async with served(Shop(), clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/forever"))
        await clock.advance(31.0)
        drain = tasks.spawn(app.drain(10.0))
        answer = await asking
        assert await drain is True
    assert answer.pieces[1:] == [b": still here\n\n"] * 2 + [b""]


async def test_a_stream_ends_when_the_client_leaves() -> None:
    clock, tasks, leave, shop = VirtualClock(), Tasks(), asyncio.Event(), Shop()
    async with served(shop, clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/forever", stay=leave))
        await clock.advance(1.0)
        leave.set()
        await asking
        assert len(app.flights) == 0
    assert shop.seen is not None
    assert shop.seen.deadline == float("inf")


async def test_an_upload() -> None:
    body = (
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n'
        b"hello\r\n--x--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=x"}
    async with served(Shop()) as app:
        answer = await ask(app, "POST", "/api/upload", body=(body[:40], body[40:]), headers=headers)
        broken = await ask(app, "POST", "/api/upload", body=b"--y", headers=headers)
        plain = await ask(app, "POST", "/api/upload", body=b"{}", headers={"content-type": "application/json"})
    assert answer.json == "a.txt text/plain 5 hello"
    assert (broken.status, plain.status) == (400, 415)
