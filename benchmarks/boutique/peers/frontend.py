"""The public API of the peers: the same operations behind Starlette, or FastAPI, with the same cookies and checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn
from boutique.frontend import Frontend
from boutique.values import NewCurrency, NewItem, NewOrder
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Operation = Callable[[Request], Awaitable[Response]]
ENCODE = msgspec.json.Encoder().encode


def operations(frontend: Frontend) -> list[tuple[str, str, Operation]]:
    """Method, path and what answers."""
    new_item, new_order = msgspec.json.Decoder(NewItem), msgspec.json.Decoder(NewOrder)
    new_currency = msgspec.json.Decoder(NewCurrency)

    async def home(request: Request) -> Response:
        return _page(await frontend.home(*_who(request)))

    async def product(request: Request) -> Response:
        return _page(await frontend.product(request.path_params["product_id"], *_who(request)))

    async def view_cart(request: Request) -> Response:
        return _page(await frontend.view_cart(*_who(request)))

    async def add_to_cart(request: Request) -> Response:
        await frontend.add_to_cart(new_item.decode(await request.body()), _who(request)[0])
        return Response(status_code=204)

    async def place_order(request: Request) -> Response:
        return _page(await frontend.place_order(new_order.decode(await request.body()), *_who(request)))

    async def set_currency(request: Request) -> Response:
        reply = await frontend.set_currency(new_currency.decode(await request.body()))
        cookies = [f"{name}={value}" for name, value in reply.cookies.items()]
        return Response(status_code=204, headers={"set-cookie": cookies[0]})

    return [
        ("GET", "/", home),
        ("GET", "/product/{product_id}", product),
        ("GET", "/cart", view_cart),
        ("POST", "/cart", add_to_cart),
        ("POST", "/cart/checkout", place_order),
        ("POST", "/setCurrency", set_currency),
    ]


def _who(request: Request) -> tuple[str, str]:
    return request.cookies["session"], request.cookies.get("shown_in", "USD")


def _page(view: Any) -> Response:
    return Response(ENCODE(view), media_type="application/json")


async def _invalid(_: Request, error: Exception) -> Response:
    return Response(ENCODE({"detail": str(error)}), status_code=422, media_type="application/json")


async def serve_starlette(frontend: Frontend, port: int) -> None:
    """In front of gRPC: the lightest of the usual servers."""
    routes = [Route(path, answer, methods=[method]) for method, path, answer in operations(frontend)]
    await run(Starlette(routes=routes, exception_handlers={msgspec.ValidationError: _invalid}), port=port)


async def serve_fastapi(frontend: Frontend, port: int) -> None:
    """In front of FastAPI; validated by msgspec, which is faster than its own pydantic."""
    app = FastAPI(exception_handlers={msgspec.ValidationError: _invalid})
    for method, path, answer in operations(frontend):
        app.add_api_route(path, answer, methods=[method])
    await run(app, port=port)


async def run(app: Any, **where: Any) -> None:
    """With uvicorn, uvloop and httptools, as Ramet's own."""
    config = uvicorn.Config(
        app,
        http="httptools",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        **where,
    )
    await uvicorn.Server(config).serve()
