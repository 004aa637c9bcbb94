"""Bare Starlette with msgspec: what is left when a framework does nothing."""

from __future__ import annotations

import msgspec
from msgspec import Struct, ValidationError, convert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.contenders.http_server import serve
from benchmarks.contenders.http_shop import Limit, NewOrder, product, receipt

decode = msgspec.json.Decoder(NewOrder).decode
encode = msgspec.json.Encoder().encode


class Wanted(Struct, frozen=True):
    limit: Limit = 10
    detailed: bool = False


async def place(request: Request) -> Response:
    try:
        order = decode(await request.body())
    except ValidationError as error:
        return Response(encode({"detail": str(error)}), 422, media_type="application/json")
    return Response(encode(receipt(order)), 201, media_type="application/json")


async def show(request: Request) -> Response:
    try:
        wanted = convert(dict(request.query_params), Wanted, strict=False)
    except ValidationError as error:
        return Response(encode({"detail": str(error)}), 422, media_type="application/json")
    found = product(request.path_params["sku"], wanted.limit, wanted.detailed)
    return Response(encode(found), media_type="application/json")


app = Starlette(
    routes=[Route("/api/orders", place, methods=["POST"]), Route("/api/products/{sku}", show, methods=["GET"])]
)

if __name__ == "__main__":
    serve(app)
