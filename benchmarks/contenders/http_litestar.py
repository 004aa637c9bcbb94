"""Litestar with the same structs of msgspec."""

from __future__ import annotations

from typing import Annotated

from litestar import Litestar, get, post
from litestar.params import QueryParameter

from benchmarks.contenders.http_server import serve
from benchmarks.contenders.http_shop import NewOrder, Product, Receipt, product, receipt


@post("/api/orders")
async def place(data: NewOrder) -> Receipt:
    return receipt(data)


@get("/api/products/{sku:str}")
async def show(sku: str, limit: Annotated[int, QueryParameter(ge=1, le=100)] = 10, detailed: bool = False) -> Product:  # noqa: FBT001, FBT002 - a query parameter
    return product(sku, limit, detailed)


app = Litestar([place, show], openapi_config=None, debug=False)

if __name__ == "__main__":
    serve(app)
