"""The same operations as a public API of Ramet, in a running application with its own server."""

from __future__ import annotations

import asyncio

import uvloop

from benchmarks.contenders import arguments
from benchmarks.contenders.http_server import announce, tell_time
from benchmarks.contenders.http_shop import Limit, NewOrder, Product, Receipt, product, receipt
from benchmarks.contenders.ramet_alive import serving
from benchmarks.machine import pin
from ramet import Api, get, post


class Storefront(Api, prefix="/api"):
    @post("/orders", status=201)
    async def place(self, order: NewOrder) -> Receipt:
        return receipt(order)

    @get("/products/{sku}")
    async def show(self, sku: str, limit: Limit = 10, detailed: bool = False) -> Product:  # noqa: FBT001, FBT002 - a query parameter
        return product(sku, limit, detailed)


async def serve(folder: str) -> None:
    """Serve until the input ends."""
    async with serving(folder, Storefront) as url:
        announce(url)
        await asyncio.get_running_loop().run_in_executor(None, tell_time)


if __name__ == "__main__":
    asked = arguments()
    pin(asked["core"])
    uvloop.run(serve(asked["folder"]))
