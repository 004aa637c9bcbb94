"""Operations of public APIs keep their types, and what is wrong in a decorator is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, assert_type

from ramet import (
    Api,
    Caller,
    Contract,
    Header,
    Limits,
    Page,
    Paged,
    Refusal,
    Request,
    Struct,
    Upload,
    delete,
    get,
    post,
    query,
)


class Line(Struct):
    sku: str


class Closed(Refusal, status=423): ...


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str) -> int: ...


class Shop(Api, prefix="/api", version="2.0.0"):
    stock: Stock

    async def authenticate(self, request: Request) -> Caller | None:
        assert_type(request.headers["authorization"], str)
        assert_type(request.query, dict[str, list[str]])
        return Caller(subject="me") if request.method == "POST" else None

    @get("/levels/{sku}", tags=("stock",), deadline="2s", refuses=Closed)
    async def level(self, sku: str, trace: Annotated[str, Header("X-Trace")] = "") -> int:
        return await self.stock.level(sku)

    @get("/lines")
    async def lines(self, page: Annotated[Page, Limits(maximum=10)]) -> Paged[Line]:
        assert_type(page.limit, int)
        assert_type(page.after(str), str | None)
        found = page.of([Line(sku="tea")], key=lambda line: line.sku)
        assert_type(found, Paged[Line])
        assert_type(found.items, tuple[Line, ...])
        return found

    @post("/pictures", status=201, max_body="10MB")
    async def picture(self, file: Upload, caller: Caller) -> str:
        assert_type(file.read(), bytes)
        assert_type(caller.roles, frozenset[str])
        return file.filename

    @get("/changes")
    async def changes(self) -> AsyncIterator[Line]:
        yield Line(sku="tea")

    @delete("/lines/{sku}", colour="red")  # type: ignore[call-arg]  # refused  # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
    async def remove(self, sku: str) -> None: ...

    @get(5)  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    async def five(self) -> None: ...

    @post("/", status="201")  # type: ignore[arg-type]  # refused  # pyright: ignore[reportArgumentType]
    async def text(self) -> None: ...


def decorators_keep_the_type_of_a_method(shop: Shop) -> None:
    asked: Callable[[str], Awaitable[int]] = shop.level
    wrong: Callable[[int], Awaitable[int]] = shop.level  # type: ignore[assignment]  # refused  # pyright: ignore[reportAssignmentType]
    del asked, wrong
