"""Every mistake in an API's declaration is reported with its line and a remedy."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Annotated, Any

import pytest

from ramet.contract.api import Api, delete, get, post
from ramet.contract.operations import size
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.struct import Struct
from ramet.contract.web.markers import Body, Form, Header, Query
from ramet.contract.web.pages import Page, Paged
from ramet.contract.web.request import Request, Upload
from ramet.contract.web.responses import EventStream, Redirect, Reply
from ramet.telemetry.context import Caller


class Line(Struct):
    sku: str


class Thing:
    pass


def api(**methods: Any) -> type[Api]:
    return type("Shop", (Api,), dict(methods), prefix="/api")  # type: ignore[call-overload, no-any-return]  # type() does not know class keywords


@get("/a/{sku}")
async def no_parameter(self: Api) -> None: ...


@get("/a/{sku")
async def braces(self: Api) -> None: ...


@get("/a/x{sku}")
async def half_segment(self: Api, sku: str) -> None: ...


@get("/{sku:path}/a/{name}")
async def rest_first(self: Api, sku: str, name: str) -> None: ...


@get("/a/{sku}/{sku}")
async def twice(self: Api, sku: str) -> None: ...


@get("a")
async def no_slash(self: Api) -> None: ...


@get("/a")
def not_async(self: Api) -> None: ...


@get("/a")
async def untyped(self: Api, value) -> None: ...  # type: ignore[no-untyped-def]  # the mistake


@get("/a")
async def no_result(self: Api): ...  # type: ignore[no-untyped-def]  # the mistake


@get("/a")
async def unknown_type(self: Api, value: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the mistake


@get("/a")
async def star(self: Api, *values: str) -> None: ...


@get("/a")
async def stars(self: Api, **values: str) -> None: ...


@post("/a")
async def two_bodies(self: Api, one: Line, two: Line) -> None: ...


@post("/a")
async def body_and_form(self: Api, one: Line, two: Annotated[str, Form()]) -> None: ...


@get("/a")
async def get_with_body(self: Api, line: Line) -> None: ...


@delete("/a")
async def delete_with_body(self: Api, line: Line) -> None: ...


@post("/a")
async def custom_body(self: Api, thing: Annotated[Thing, Body()]) -> None: ...


@get("/a")
async def custom_result(self: Api) -> Thing: ...


@get("/a")
async def custom_in_list(self: Api) -> list[Thing]: ...


@get("/a")
async def custom_events(self: Api) -> EventStream[Thing]:
    yield Thing()


@get("/a")
async def struct_in_query(self: Api, line: Annotated[Line, Query()]) -> None: ...


@get("/a")
async def struct_in_header(self: Api, line: Annotated[Line, Header()]) -> None: ...


@get("/a")
async def same_query(self: Api, one: str, two: Annotated[str, Query("one")]) -> None: ...


@get("/a")
async def caller(self: Api, who: Caller) -> None: ...


@get("/a", status=404)
async def wrong_status(self: Api) -> None: ...


@get("/a", status=204)
async def nothing_and_value(self: Api) -> str: ...


@get("/a", deadline="soon")
async def wrong_deadline(self: Api) -> None: ...


@post("/a", max_body="much")
async def wrong_size(self: Api) -> None: ...


@pytest.mark.parametrize(
    ("method", "message", "remedy"),
    [
        (no_parameter, "has {sku} in its path, and no such parameter.", "Add `sku: str`"),
        (braces, "whose braces do not match.", "{name:path}"),
        (half_segment, 'has the path "/a/x{sku}".', "whole segment"),
        (rest_first, 'has the path "/{sku:path}/a/{name}".', "last segment"),
        (twice, "has {sku} twice", "Name each place differently"),
        (no_slash, 'has the path "a".', '"/a"'),
        (not_async, "is not async.", "async def"),
        (untyped, "has no type for value.", "`value: str`"),
        (no_result, "has no result type.", "-> None"),
        (unknown_type, 'has the unknown type "Nowhere"', "mend the name"),
        (star, "takes *values.", "Name every parameter"),
        (stars, "takes **values.", "Name every parameter"),
        (two_bodies, "takes 2 bodies: one, two.", "Make one Struct"),
        (body_and_form, "takes a JSON body (one) and a form (two).", "choose"),
        (get_with_body, "takes line as its body, and GET has no body.", "@post"),
        (delete_with_body, "takes line as its body, and DELETE has no body.", "@post"),
        (custom_body, "cannot take thing: Thing cannot be sent", "Struct"),
        (custom_result, "cannot return it: Thing cannot be sent", "Struct"),
        (custom_in_list, "cannot return it: Thing cannot be sent", "Struct"),
        (custom_events, "cannot return it: Thing cannot be sent", "Struct"),
        (struct_in_query, "cannot take line, Line, from the query.", "single value"),
        (struct_in_header, "cannot take line, Line, from the header.", "single value"),
        (same_query, 'takes the query "one" twice.', "Once"),
        (caller, "asks for the Caller, and its API never says who that is", "Override `authenticate`"),
        (wrong_status, "answers with status 404.", "Refusal"),
        (nothing_and_value, "answers 204, which has no body, and returns a value.", "None"),
        (wrong_deadline, 'has a wrong deadline: "soon" is not a duration', ""),
        (wrong_size, 'has a wrong max_body: "much" is not a size', ""),
    ],
)
def test_a_mistake_is_reported(method: Callable[..., Any], message: str, remedy: str) -> None:
    _, problems = resolve_routes(api(one=method))
    assert len(problems) == 1, problems
    assert message in problems[0].message
    assert remedy in problems[0].remedy
    assert problems[0].file.endswith("test_routes.py")
    assert problems[0].line > 1


def test_all_mistakes_are_reported_at_once() -> None:
    _, problems = resolve_routes(api(one=no_parameter, two=two_bodies, three=untyped))
    assert len(problems) == 3


def test_two_methods_for_one_path() -> None:
    @get("/a/{x}")
    async def one(self: Api, x: str) -> None: ...

    @get("/a/{y}")
    async def two(self: Api, y: str) -> None: ...

    _, problems = resolve_routes(api(one=one, two=two))
    assert "answers GET /api/a/{y}, and so does one." in problems[0].message


def test_a_wrong_class() -> None:
    class Empty(Api, prefix="api"):
        def authenticate(self, request: Request) -> Caller | None:  # type: ignore[override]  # the mistake
            return None

    messages = [problem.message for problem in resolve_routes(Empty)[1]]
    assert any('has the prefix "api"' in message for message in messages)
    assert any("authenticate is not async" in message for message in messages)
    assert any("has no operation" in message for message in messages)


class Good(Api, prefix="/api"):
    @get("")
    async def root(self) -> str: ...

    @get("/lines/{sku}", deadline="2s", tags=["lines"])
    async def line(self, sku: str, at: datetime.date | None = None, tags: tuple[str, ...] = ()) -> Line: ...

    @post("/lines", status=201, max_body="2MiB")
    async def add(self, lines: tuple[Line, ...], x_shop: Annotated[str, Header()]) -> dict[str, list[Line]]: ...

    @post("/pictures")
    async def pictures(self, files: tuple[Upload, ...]) -> None: ...

    @get("/pages")
    async def pages(self, page: Page) -> Paged[Line]: ...

    @get("/either")
    async def either(self) -> Line | Redirect: ...

    @get("/reply")
    async def reply(self) -> Reply[tuple[Line, ...]]: ...

    @get("/watch")
    async def watch(self, request: Request) -> EventStream[Line]:
        yield Line(sku="a")


def test_a_right_declaration_has_no_mistake() -> None:
    routes, problems = resolve_routes(Good)
    assert problems == ()
    assert [(route.method, route.path, route.status, route.result) for route in routes] == [
        ("GET", "/api", 200, "json"),
        ("GET", "/api/lines/{sku}", 200, "json"),
        ("POST", "/api/lines", 201, "json"),
        ("POST", "/api/pictures", 204, "none"),
        ("GET", "/api/pages", 200, "json"),
        ("GET", "/api/either", 200, "answer"),
        ("GET", "/api/reply", 200, "answer"),
        ("GET", "/api/watch", 200, "events"),
    ]


def test_parameters_know_where_they_come_from() -> None:
    routes, _ = resolve_routes(Good)
    found = [
        (each.name, each.source, each.key, each.required, each.many) for route in routes for each in route.parameters
    ]
    assert found == [
        ("sku", "path", "sku", True, False),
        ("at", "query", "at", False, False),
        ("tags", "query", "tags", False, True),
        ("lines", "body", "lines", True, False),
        ("x_shop", "header", "x-shop", True, False),
        ("files", "upload", "files", True, True),
        ("page", "page", "page", True, False),
        ("request", "request", "request", True, False),
    ]


def test_limits_are_seconds_and_bytes() -> None:
    routes, _ = resolve_routes(Good)
    assert (routes[1].deadline, routes[2].max_body, routes[0].deadline) == (2.0, 2 * 1024 * 1024, None)
    assert (size(5), size("5"), size("1 KB"), size("3MB")) == (5, 5, 1000, 3_000_000)


def test_operations_are_inherited_and_can_be_replaced() -> None:
    class Better(Good, prefix="/v2"):
        @get("/lines/{sku}/more")
        async def line(self, sku: str, at: datetime.date | None = None, tags: tuple[str, ...] = ()) -> Line: ...

    paths = [route.path for route in resolve_routes(Better)[0]]
    assert "/v2/lines/{sku}/more" in paths
    assert "/v2/lines/{sku}" not in paths
    assert "/v2/pages" in paths
