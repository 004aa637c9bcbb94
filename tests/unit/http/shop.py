"""An API with one operation of every kind of trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from ramet.contract.api import Api, delete, get, post, put
from ramet.contract.struct import Struct
from ramet.contract.web.pages import Page, Paged
from ramet.contract.web.request import Request, Upload
from ramet.contract.web.responses import EventStream, File, Message, Redirect, Reply, Stream
from ramet.errors import Denied, InternalError, NotFound, Refusal, Unauthenticated
from ramet.telemetry.context import Caller, Context, current_context
from ramet.telemetry.scope import Adrift, current_scope


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
        if sku == "fallen":
            raise InternalError("17", "stock.line")
        if sku == "cancelled":
            raise asyncio.CancelledError
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

    @post("/adrift", deadline="1s")
    async def adrift(self) -> None:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            raise asyncio.CancelledError(Adrift("stock.take")) from None

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
        self.seen = current_context.get()
        await self.release.wait()

    @post("/upload")
    async def upload(self, file: Upload) -> str:
        return f"{file.filename} {file.content_type} {file.size} {file.read().decode()}"

    @get("/forged/{what}")
    async def forged(self, what: str) -> Reply[None] | File | Stream:
        evil = "a\r\nset-cookie: b"
        match what:
            case "header":
                return Reply(None, headers={"x": evil})
            case "cookie":
                return Reply(None, cookies={"x": evil})
            case "file":
                return File(b"", headers={"x": evil})
            case _:
                return File(b"", media_type=evil)
