"""Arguments come from where the signature says, and every wrong one is named."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.api import Api, get, post
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.struct import Struct
from ramet.contract.web.markers import Body, Cookie, Form, Header, Limits, Query
from ramet.contract.web.pages import Page
from ramet.contract.web.request import Upload
from ramet.errors import Unauthenticated
from ramet.http.operation.binding import Binder
from ramet.http.operation.incoming import Incoming
from ramet.http.refusals import InvalidRequest, MalformedBody
from ramet.telemetry.context import Caller


class Line(Struct):
    sku: str
    quantity: int


class Order(Struct):
    lines: tuple[Line, ...]
    at: datetime.datetime | None = None
    price: Decimal = Decimal(0)


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


Positive = Annotated[int, msgspec.Meta(gt=0)]


class Everything(Api):
    async def authenticate(self, request: object) -> Caller | None:
        return None

    @get("/a/{number}/{day}")
    async def places(self, number: int, day: datetime.date) -> None: ...

    @get("/b")
    async def queries(  # noqa: PLR0917 - one of each kind
        self,
        text: str,
        number: Positive = 1,
        flag: bool = False,
        colour: Colour | None = None,
        sort: Literal["up", "down"] = "up",
        tags: tuple[str, ...] = (),
        since: Annotated[float | None, Query(alias="from")] = None,
    ) -> None: ...

    @get("/c")
    async def headers(
        self,
        x_shop: Annotated[str, Header()],
        retries: Annotated[int, Header("X-Retry-Count")] = 0,
        accepted: Annotated[tuple[str, ...], Header("accept")] = (),
        session: Annotated[str | None, Cookie("sid")] = None,
    ) -> None: ...

    @post("/d/{number}")
    async def body(self, number: int, order: Order, limit: int = 10) -> None: ...

    @post("/e")
    async def optional(self, order: Order | None = None) -> None: ...

    @post("/f")
    async def number(self, value: Annotated[int, Body()]) -> None: ...

    @post("/g")
    async def form(
        self, name: Annotated[str, Form()], age: Annotated[int, Form("years")] = 0, files: tuple[Upload, ...] = ()
    ) -> None: ...

    @get("/h")
    async def page(self, page: Annotated[Page, Limits(default=20, maximum=100)]) -> None: ...

    @get("/i")
    async def caller(self, caller: Caller) -> None: ...

    @get("/j")
    async def perhaps(self, caller: Caller | None) -> None: ...

    @post("/k")
    async def mapping(self, prices: Mapping[str, Decimal]) -> None: ...


ROUTES = {route.name: route for route in resolve_routes(Everything)[0]}


def bind(
    operation: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
    body: bytes = b"",
    change: Callable[[Incoming], None] | None = None,
) -> dict[str, Any]:
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    incoming = Incoming({"query_string": query.encode(), "headers": raw}, dict(raw), places or {})
    incoming.body = body
    if change is not None:
        change(incoming)
    return Binder(ROUTES[operation])(incoming)


def wrong(operation: str, **request: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        bind(operation, **request)
    return [(each.place, each.name if each.pointer is None else each.pointer) for each in caught.value.errors]


def test_there_is_no_mistake_in_the_declarations() -> None:
    assert resolve_routes(Everything)[1] == ()


def test_places_of_the_path() -> None:
    found = bind("places", places={"number": "17", "day": "2026-11-22"})
    assert found == {"number": 17, "day": datetime.date(2026, 11, 22)}
    assert wrong("places", places={"number": "x", "day": "y"}) == [("path", "number"), ("path", "day")]


def test_query_parameters_have_defaults() -> None:
    assert bind("queries", query="text=a%20b+c") == {
        "text": "a b c", "number": 1, "flag": False, "colour": None, "sort": "up", "tags": (), "since": None,
    }  # fmt: skip


def test_query_parameters_are_converted() -> None:
    found = bind("queries", query="text=&number=5&flag=true&colour=red&sort=down&tags=a&tags=b&from=1.5")
    assert found == {
        "text": "", "number": 5, "flag": True, "colour": Colour.RED, "sort": "down", "tags": ("a", "b"), "since": 1.5,
    }  # fmt: skip


def test_every_wrong_query_parameter_is_named() -> None:
    found = wrong("queries", query="number=0&flag=perhaps&colour=blue&sort=left&from=x")
    assert found == [("query", name) for name in ("text", "number", "flag", "colour", "sort", "from")]


def test_headers_and_cookies() -> None:
    given = {"x-shop": "a", "x-retry-count": "3", "accept": "a, b", "cookie": 'x=1; sid="abc"'}
    assert bind("headers", headers=given) == {"x_shop": "a", "retries": 3, "accepted": ("a", "b"), "session": "abc"}
    assert wrong("headers", headers={"x-retry-count": "x"}) == [("header", "x-shop"), ("header", "x-retry-count")]


def test_body_and_the_rest_together() -> None:
    body = b'{"lines":[{"sku":"tea","quantity":2}],"price":"1.50"}'
    found = bind("body", places={"number": "3"}, body=body)
    assert found["order"] == Order(lines=(Line(sku="tea", quantity=2),), price=Decimal("1.50"))
    assert (found["number"], found["limit"]) == (3, 10)


def test_all_that_is_wrong_is_named_at_once() -> None:
    body = b'{"lines":[{"sku":"tea","quantity":"2"},{}],"at":"yesterday"}'
    assert wrong("body", places={"number": "x"}, query="limit=y", body=body) == [
        ("path", "number"),
        ("body", "/lines/0/quantity"),
        ("body", "/lines/1/sku"),
        ("body", "/lines/1/quantity"),
        ("body", "/at"),
        ("query", "limit"),
    ]


def test_a_missing_body_is_named() -> None:
    assert wrong("body", places={"number": "1"}) == [("body", "")]


def test_a_body_that_is_no_json_is_malformed() -> None:
    with pytest.raises(MalformedBody, match="cannot be read"):
        bind("body", places={"number": "1"}, body=b'{"lines":')
    with pytest.raises(MalformedBody, match="cannot be read"):
        bind("body", places={"number": "1"}, body=b'{"lines": "\xff"}')


def test_a_body_of_endless_depth_is_malformed() -> None:
    with pytest.raises(MalformedBody):
        bind("mapping", body=b'{"tea":' + b"[" * 100_000)


def test_no_more_than_a_hundred_wrong_fields_are_named() -> None:
    body = msgspec.json.encode({"lines": [{}] * 1000})
    assert len(wrong("body", places={"number": "1"}, body=body)) == 100


def test_an_optional_body_may_be_missing() -> None:
    assert bind("optional") == {"order": None}


def test_a_single_value_can_be_the_body() -> None:
    assert bind("number", body=b"17") == {"value": 17}
    assert wrong("number", body=b'"x"') == [("body", "")]


def test_a_mapping_is_a_body() -> None:
    assert bind("mapping", body=b'{"tea":"1.5"}') == {"prices": {"tea": Decimal("1.5")}}
    assert wrong("mapping", body=b'{"tea":[]}') == [("body", "/tea")]


def test_form_fields() -> None:
    def fill(incoming: Incoming) -> None:
        incoming.form = {"name": ["Ada"], "years": ["36"]}

    assert bind("form", change=fill) == {"name": "Ada", "age": 36, "files": ()}
    assert wrong("form") == [("form", "name")]


def test_a_page_has_limits() -> None:
    assert bind("page") == {"page": Page(limit=20)}
    assert bind("page", query="limit=5&cursor=abc") == {"page": Page(limit=5, cursor="abc")}
    assert wrong("page", query="limit=101") == [("query", "limit")]
    assert wrong("page", query="limit=x") == [("query", "limit")]


def test_a_caller_is_required_where_it_is_asked_for() -> None:
    ada = Caller(subject="ada")

    def sign_in(incoming: Incoming) -> None:
        incoming.caller = ada

    assert bind("caller", change=sign_in) == {"caller": ada}
    assert bind("perhaps") == {"caller": None}
    with pytest.raises(Unauthenticated):
        bind("caller")


LINES = st.builds(Line, sku=st.text(), quantity=st.integers(-(2**60), 2**60))
ORDERS = st.builds(
    Order,
    lines=st.lists(LINES, max_size=3).map(tuple),
    at=st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
    price=st.decimals(allow_nan=False, allow_infinity=False),
)


@given(ORDERS, st.integers(-(2**60), 2**60))
def test_what_was_encoded_is_bound(order: Order, limit: int) -> None:
    found = bind("body", places={"number": "1"}, query=f"limit={limit}", body=msgspec.json.encode(order))
    assert (found["order"], found["limit"]) == (order, limit)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_nothing_that_is_sent_breaks_the_binder(query: bytes, body: bytes) -> None:
    incoming = Incoming({"query_string": query, "headers": []}, {}, {"number": "1"})
    incoming.body = body
    for operation in ("queries", "body", "mapping", "page"):
        try:
            Binder(ROUTES[operation])(incoming)
        except (InvalidRequest, MalformedBody) as refusal:
            msgspec.json.encode(refusal.facts)
