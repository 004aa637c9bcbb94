"""An operation answers whatever happens in it, within its limits, and in its context."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.contract.api import Api, delete, get, post, put
from ramet.contract.exchange import (
    EventStream,
    File,
    Message,
    Page,
    Paged,
    Redirect,
    Reply,
    Request,
    Stream,
    Upload,
)
from ramet.contract.struct import Struct
from ramet.errors import Denied, NotFound, Refusal, Unauthenticated
from ramet.http.surroundings import Answered, HttpSettings
from ramet.runtime.tasks import Tasks
from ramet.telemetry.context import Caller, Context, current_context
from ramet.telemetry.scope import current_scope
from tests.unit.http.asgi import ask, served


class Line(Struct):
    sku: str
    quantity: int = 1


class OutOfStock(Refusal):
    """There are not enough of {sku}."""

    sku: str


class Shop(Api, prefix="/api"):
    def __init__(self) -> None:
        self.seen: Context | None = None
        self.keys: list[str | None] = []
        self.release = asyncio.Event()
        self.cancelled = False

    async def authenticate(self, request: Request) -> Caller | None:
        name = request.headers.get("authorization")
        if name == "forged":
            raise Unauthenticated("The signature does not fit.")
        return Caller(subject=name, tenant="acme") if name else None

    @get("/lines/{sku}")
    async def line(self, sku: str) -> Line:
        self.seen = current_context.get()
        if sku == "none":
            raise NotFound("There is no such line.")
        if sku == "out":
            raise OutOfStock(sku=sku)
        if sku == "bug":
            raise RuntimeError("the password is 1234")
        return Line(sku=sku)

    @post("/lines", status=201)
    async def add(self, line: Line) -> Line:
        scope = current_scope.get()
        self.keys.append(None if scope is None else scope.command_key("inventory.reserve"))
        return line

    @delete("/lines/{sku}")
    async def remove(self, sku: str) -> None: ...

    @get("/me")
    async def me(self, caller: Caller) -> str:
        if caller.subject == "eve":
            raise Denied("Not you.")
        return caller.subject

    @get("/slow", deadline="1s")
    async def slow(self) -> str:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"

    @get("/stubborn", deadline="1s")
    async def stubborn(self) -> str:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            return "finished all the same"
        return "done"

    @get("/pages")
    async def pages(self, page: Page) -> Paged[int]:
        first = page.after(int) or 0
        return page.of(range(first, min(5, first + page.limit + 1)), key=lambda last: last + 1)

    @put("/raw", max_body=10)
    async def raw(self, request: Request) -> int:
        return len(await request.body())

    @post("/reply")
    async def reply(self) -> Reply[Line]:
        return Reply(Line(sku="x"), status=202, headers={"X-Kind": "new"}, cookies={"sid": "1; HttpOnly"})

    @get("/elsewhere")
    async def elsewhere(self) -> Redirect:
        return Redirect("/api/lines/é x")

    @get("/either/{kind}")
    async def either(self, kind: str) -> Line | Redirect | None:
        return {"line": Line(sku="a"), "away": Redirect("/x")}.get(kind)

    @get("/file")
    async def file(self) -> File:
        return File(b"0123456789", filename="digits é.txt")

    @get("/missing")
    async def missing(self) -> File:
        return File(Path("/does/not/exist"))

    @get("/stream")
    async def stream(self) -> Stream:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

        return Stream(pieces(), media_type="text/plain")

    @get("/events")
    async def events(self, fail: str = "") -> EventStream[Line]:
        if fail == "early":
            raise OutOfStock(sku="tea")
        yield Line(sku="a")
        yield Message(data=Line(sku="b"), id="7", event="line", retry_seconds=1.5)
        if fail == "late":
            raise OutOfStock(sku="tea")

    @get("/forever")
    async def forever(self) -> EventStream[Line]:
        yield Line(sku="first")
        await self.release.wait()

    @post("/upload")
    async def upload(self, file: Upload) -> str:
        return f"{file.filename} {file.content_type} {file.size} {file.read().decode()}"

    @get("/forged-header")
    async def forged_header(self) -> Reply[None]:
        return Reply(None, headers={"x": "a\r\nset-cookie: b"})


async def test_a_value_becomes_json() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/lines/tea")
    assert (answer.status, answer.body) == (200, b'{"sku":"tea","quantity":1}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))


async def test_a_status_may_be_declared_and_nothing_is_204() -> None:
    async with served(Shop()) as app:
        assert (await ask(app, "POST", "/api/lines", json={"sku": "tea"})).status == 201
        gone = await ask(app, "DELETE", "/api/lines/tea")
    assert (gone.status, gone.body) == (204, b"")


@pytest.mark.parametrize(("sku", "status", "code"), [("none", 404, "not-found"), ("out", 409, "out-of-stock")])
async def test_what_is_raised_becomes_a_problem(sku: str, status: int, code: str) -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", f"/api/lines/{sku}")
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_is_logged_under_the_id_that_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    async with served(Shop()) as app:
        with caplog.at_level(logging.ERROR, "ramet.http"):
            answer = await ask(app, "GET", "/api/lines/bug")
    assert answer.status == 500
    assert b"1234" not in answer.body
    assert answer.json["id"] in caplog.text
    assert "the password is 1234" in caplog.text


async def test_authentication() -> None:
    async with served(Shop()) as app:
        unknown = await ask(app, "GET", "/api/me")
        known = await ask(app, "GET", "/api/me", headers={"authorization": "ada"})
        denied = await ask(app, "GET", "/api/me", headers={"authorization": "eve"})
        forged = await ask(app, "GET", "/api/lines/tea", headers={"authorization": "forged"})
    assert (unknown.status, unknown.headers["www-authenticate"]) == (401, "Bearer")
    assert (known.status, known.json) == (200, "ada")
    assert (denied.status, forged.status) == (403, 401)


async def test_the_context_knows_caller_trace_and_deadline() -> None:
    shop, clock = Shop(), VirtualClock()
    header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with served(shop, clock=clock, region="eu") as app:
        headers = {"traceparent": header, "authorization": "ada", "x-request-id": "mine", "x-request-timeout": "250ms"}
        answer = await ask(app, "GET", "/api/lines/tea", headers=headers)
    assert shop.seen is not None
    assert shop.seen.trace == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert shop.seen.caller == Caller(subject="ada", tenant="acme")
    assert (shop.seen.tenant, shop.seen.region, shop.seen.deadline) == ("acme", "eu", 0.25)
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert current_context.get() is None


async def test_a_wrong_timeout_is_named() -> None:
    async with served(Shop()) as app:
        answer = await ask(app, "GET", "/api/lines/tea", headers={"x-request-timeout": "soon"})
    assert (answer.status, answer.json["errors"][0]["name"]) == (422, "x-request-timeout")


async def test_an_idempotency_key_gives_commands_theirs_apart_for_each_caller() -> None:
    shop = Shop()
    async with served(shop) as app:
        for who in ("ada", "ada", "eve"):
            headers = {"idempotency-key": "17", "authorization": who}
            await ask(app, "POST", "/api/lines", json={"sku": "tea"}, headers=headers)
        await ask(app, "POST", "/api/lines", json={"sku": "tea"})
    first, again, other, without = shop.keys
    assert first == again == "shop.add/ada/17/inventory.reserve/1"
    assert other != first
    assert without is None
    assert current_scope.get() is None


async def test_what_takes_too_long_is_cancelled_and_answered_504() -> None:
    shop, clock, tasks = Shop(), VirtualClock(), Tasks()
    async with served(shop, clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/slow"))
        await clock.advance(1.1)
        answer = await asking
    assert (answer.status, answer.json["code"], shop.cancelled) == (504, "deadline-exceeded", True)


async def test_work_that_ends_in_spite_of_it_is_answered() -> None:
    clock, tasks = VirtualClock(), Tasks()
    async with served(Shop(), clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/stubborn"))
        await clock.advance(1.1)
        answer = await asking
    assert (answer.status, answer.json) == (200, "finished all the same")


async def test_a_cancellation_from_outside_passes_through() -> None:
    shop, clock, tasks = Shop(), VirtualClock(), Tasks()
    async with served(shop, clock=clock) as app:
        asking = tasks.spawn(ask(app, "GET", "/api/slow"))
        await clock.settle()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(app.flights) == 0


async def test_a_body_that_does_not_arrive_in_time_is_the_clients_fault() -> None:
    clock, tasks = VirtualClock(), Tasks()
    async with served(Shop(), clock=clock) as app:
        asking = tasks.spawn(ask(app, "POST", "/api/lines", body=()))
        await clock.advance(5.1)
        answer = await asking
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_pages_lead_from_one_to_the_next() -> None:
    found, path = [], "/api/pages?limit=2&x=1"
    async with served(Shop()) as app:
        for _ in range(3):
            answer = await ask(app, "GET", path)
            found += answer.json["items"]
            link = answer.headers.get("link", "")
            path = link[1 : link.index(">")] if link else ""
        wrong = await ask(app, "GET", "/api/pages?cursor=%21")
    assert (found, path, answer.json["next"]) == ([0, 1, 2, 3, 4], "", None)
    assert wrong.status == 422


async def test_a_body_has_a_limit() -> None:
    async with served(Shop(), settings=HttpSettings(max_body=20)) as app:
        told = await ask(app, "POST", "/api/lines", headers={"content-length": "21"}, body=b"{}")
        grown = await ask(app, "POST", "/api/lines", body=(b"x" * 15, b"x" * 15))
        own = await ask(app, "PUT", "/api/raw", body=(b"x" * 6, b"x" * 6))
        fits = await ask(app, "PUT", "/api/raw", body=(b"x" * 5, b"x" * 5))
    assert [told.status, grown.status, own.status, fits.status] == [413, 413, 413, 200]
    assert told.json["limit"] == 20


async def test_only_json_is_taken_for_json() -> None:
    async with served(Shop()) as app:
        text = await ask(app, "POST", "/api/lines", body=b"{}", headers={"content-type": "text/plain"})
        special = await ask(
            app,
            "POST",
            "/api/lines",
            body=b'{"sku":"a"}',
            headers={"content-type": "application/x+json; charset=utf-8"},
        )
    assert (text.status, special.status) == (415, 201)


async def test_replies_redirects_and_streams() -> None:
    async with served(Shop()) as app:
        reply = await ask(app, "POST", "/api/reply")
        away = await ask(app, "GET", "/api/elsewhere")
        stream = await ask(app, "GET", "/api/stream")
        either = [await ask(app, "GET", f"/api/either/{kind}") for kind in ("line", "away", "none")]
        forged = await ask(app, "GET", "/api/forged-header")
    assert (reply.status, reply.headers["x-kind"], reply.headers["set-cookie"]) == (202, "new", "sid=1; HttpOnly")
    assert (away.status, away.headers["location"]) == (303, "/api/lines/%C3%A9%20x")
    assert (stream.body, stream.headers["content-type"]) == (b"one two", "text/plain")
    assert [answer.status for answer in either] == [200, 303, 200]
    assert either[2].body == b""
    assert forged.status == 500


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


async def test_a_client_that_leaves_is_counted_and_not_answered() -> None:
    leave, told = asyncio.Event(), list[Answered]()
    leave.set()
    async with served(Shop(), answered=told.append) as app:
        answer = await ask(app, "POST", "/api/lines", body=(), stay=leave)
        await ask(app, "GET", "/api/lines/bug")
        await ask(app, "GET", "/api/lines/tea")
    assert answer.status == 0
    assert [(each.path, each.status) for each in told] == [
        ("/api/lines", 499),
        ("/api/lines/{sku}", 500),
        ("/api/lines/{sku}", 200),
    ]
    assert told[1].error_id is not None
