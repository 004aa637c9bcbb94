"""Schemathesis invents requests from the OpenAPI document: no answer is a 500, and each is as documented."""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from ramet.clock import SystemClock
from ramet.contract.api import Api, delete, get, patch, post, put
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.struct import Struct
from ramet.contract.web.markers import Cookie, Form, Header, Limits
from ramet.contract.web.pages import Page, Paged
from ramet.contract.web.request import Request, Upload
from ramet.errors import NotFound, Refusal, Unauthenticated
from ramet.http.application import HttpApplication
from ramet.http.server import HttpServer
from ramet.http.surroundings import Surroundings
from ramet.tasks import Tasks
from ramet.telemetry.context import Caller

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Address(Struct):
    street: Name
    zip: Annotated[str, msgspec.Meta(pattern=r"^\d{4,5}$")]


class Card(Struct, tag="card"):
    number: Name


class Invoice(Struct, tag="invoice"):
    address: Address


class Line(Struct):
    sku: Name
    quantity: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    price: Decimal | None = None


class NewOrder(Struct):
    lines: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1)]
    payment: Card | Invoice
    labels: Mapping[str, str] = {}
    wanted: datetime.date | None = None
    kind: Literal["gift", "own"] = "own"


class Order(Struct):
    number: int
    order: NewOrder


class OutOfStock(Refusal):
    """There are not enough of {sku}."""

    sku: str


class Sample(Api, prefix="/api", version="1.0.0"):
    """One operation of every kind."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}

    async def authenticate(self, request: Request) -> Caller | None:
        token = request.headers.get("authorization")
        if token not in (None, "Bearer ada"):
            raise Unauthenticated("The token is not known.")
        return None if token is None else Caller(subject="ada")

    @post("/orders", status=201, refuses=OutOfStock)
    async def place(self, order: NewOrder, dry: bool = False) -> Order:
        if order.lines[0].sku == "0":
            raise OutOfStock(sku="0")
        made = Order(number=len(self.orders), order=order)
        self.orders[made.number] = made
        return made

    @get("/orders/{number}")
    async def show(self, number: int) -> Order:
        if number not in self.orders:
            raise NotFound("There is no such order.")
        return self.orders[number]

    @get("/orders")
    async def list_orders(
        self,
        page: Annotated[Page, Limits(maximum=10)],
        kinds: tuple[Literal["gift", "own"], ...] = (),
        since: datetime.datetime | None = None,
    ) -> Paged[Order]:
        start = page.after(int) or 0
        found = [order for number, order in sorted(self.orders.items()) if number >= start]
        return page.of(found[: page.limit + 1], key=lambda order: order.number + 1)

    @put("/orders/{number}/labels")
    async def label(self, number: int, labels: Mapping[str, int]) -> Mapping[str, int]:
        return labels

    @patch("/orders/{number}")
    async def change(self, number: int, line: Line, x_reason: Annotated[Name, Header()]) -> Line:
        return line

    @delete("/orders/{number}")
    async def remove(self, number: int, caller: Caller) -> None:
        self.orders.pop(number, None)

    @get("/me")
    async def me(self, caller: Caller | None, theme: Annotated[Literal["dark", "light"], Cookie()] = "light") -> str:
        return "nobody" if caller is None else caller.subject

    @post("/pictures")
    async def picture(self, picture: Upload, title: Annotated[Name, Form()], number: Annotated[int, Form()] = 0) -> int:
        return picture.size


async def serve(started: Future[str], stop: asyncio.Event) -> None:
    tasks = Tasks()
    around = Surroundings(clock=SystemClock(), spawn=tasks.spawn)
    server = HttpServer(HttpApplication([(Sample, Sample())], around=around), port=0, spawn=tasks.spawn)
    await server.start()
    started.set_result(server.url)
    await stop.wait()
    await server.stop()
    await tasks.stop()


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    loop, started, stop = asyncio.new_event_loop(), Future[str](), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(started, stop)))
    thread.start()
    url = started.result(10)
    yield schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.ignored_auth,
]
OPERATIONS = [f"{route.method} {route.path}" for route in resolve_routes(Sample)[0]]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_request_breaks_the_api(schema: Any, operation: str, mode: GenerationMode) -> None:
    method, path = operation.split()

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    try:
        check()
    except Unsatisfiable:
        pytest.skip("every value fits this operation")
