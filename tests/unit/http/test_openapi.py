"""The document is valid OpenAPI 3.1, and says what the operations do."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import jsonschema_rs
import msgspec
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from ramet.contract.api import Api, api_declaration, delete, get, post
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.struct import Struct
from ramet.contract.web.markers import Form, Header
from ramet.contract.web.pages import Page, Paged
from ramet.contract.web.request import Request, Upload
from ramet.contract.web.responses import EventStream, File, Message, Reply
from ramet.errors import Refusal
from ramet.http.openapi import openapi
from ramet.telemetry.context import Caller


class Line(Struct):
    """One product and how many of it."""

    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1)] = 1


class OutOfStock(Refusal):
    """There are not enough of {sku}."""

    sku: str


class TooLate(Refusal, status=409):
    since: datetime.datetime


class Shop(Api, prefix="/api", version="2.1.0", title="The shop"):
    """Sells things."""

    async def authenticate(self, request: Request) -> Caller | None:
        return None

    @post("/orders", status=201, tags=["orders"], refuses=(OutOfStock, TooLate), example={"sku": "tea"})
    async def place(self, line: Line, caller: Caller, dry: bool = False) -> Line:
        """Place an order.

        It is answered at once and goes on in the background.
        """
        return line

    @get("/files/{name:path}")
    async def file(self, name: str, caller: Caller | None) -> File: ...

    @get("/orders")
    async def list_orders(self, page: Page, shop: Annotated[str, Header("X-Shop")]) -> Paged[Line]: ...

    @get("/events")
    async def events(self) -> EventStream[Line]:
        yield Message(data=Line(sku="x"))

    @post("/pictures")
    async def upload(self, picture: Upload, title: Annotated[str, Form()] = "") -> Reply[Line]: ...

    @delete("/orders/{number}")
    async def remove(self, number: int) -> None: ...

    @get("/internal", hidden=True)
    async def internal(self) -> str: ...


ROUTES, MISTAKES = resolve_routes(Shop)
DOCUMENT = openapi(api_declaration(Shop), ROUTES)


def operation(path: str, method: str) -> Any:
    return DOCUMENT["paths"][path][method]


def test_the_declaration_is_right() -> None:
    assert MISTAKES == ()


def test_the_document_is_valid() -> None:
    jsonschema_rs.validator_for(OPENAPI_31).validate(msgspec.json.decode(msgspec.json.encode(DOCUMENT)))


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_a_json_schema(name: str) -> None:
    schema = msgspec.json.decode(msgspec.json.encode(DOCUMENT["components"]["schemas"][name]))
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(DOCUMENT).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= DOCUMENT["components"]["schemas"].keys()


def test_it_says_what_an_operation_takes_and_gives() -> None:
    place = operation("/api/orders", "post")
    assert (place["summary"], place["tags"]) == ("Place an order.", ["orders"])
    assert place["description"] == "It is answered at once and goes on in the background."
    body = place["requestBody"]["content"]["application/json"]
    assert body == {"schema": {"$ref": "#/components/schemas/Line"}, "example": {"sku": "tea"}}
    dry = {"name": "dry", "in": "query", "required": False, "schema": {"type": "boolean", "default": False}}
    assert place["parameters"] == [dry]
    assert place["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Line"}


def test_refusals_are_documented_with_their_facts() -> None:
    problem = operation("/api/orders", "post")["responses"]["409"]
    assert problem["description"] == "Out of stock; Too late."
    schema = DOCUMENT["components"]["schemas"]["OutOfStock"]
    assert schema["properties"]["code"] == {"const": "out-of-stock"}
    assert schema["properties"]["sku"] == {"type": "string"}


def test_callers_need_the_security_scheme() -> None:
    assert operation("/api/orders", "post")["security"] == [{"bearer": []}]
    assert operation("/api/files/{name}", "get")["security"] == [{"bearer": []}, {}]
    assert "security" not in operation("/api/orders", "get")
    assert DOCUMENT["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}


def test_pages_forms_and_streams() -> None:
    listed = operation("/api/orders", "get")
    assert [each["name"] for each in listed["parameters"]] == ["limit", "cursor", "x-shop"]
    assert "Link" in listed["responses"]["200"]["headers"]
    form = operation("/api/pictures", "post")["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["picture"] == {"type": "string", "format": "binary"}
    assert form["required"] == ["picture"]
    assert "text/event-stream" in operation("/api/events", "get")["responses"]["200"]["content"]
    assert "content" not in operation("/api/orders/{number}", "delete")["responses"]["204"]


def test_what_is_hidden_is_left_out() -> None:
    assert "/api/internal" not in DOCUMENT["paths"]
