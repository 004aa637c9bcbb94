"""An application that knows nothing of services, except for the two lines that ask for a client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from ramet.http.clients import blocking, client
from tests.integration.http.inventory import Inventory

inventory = client(Inventory)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, str]]:
    yield {"greeting": f"hello, there are {await inventory.stock('tea')}"}


app = FastAPI(lifespan=lifespan)


@app.get("/items/{number}")
async def item(number: int, request: Request) -> dict[str, object]:
    return {"number": number, "path": request.url.path, "greeting": request.state.greeting}


@app.get("/stock/{sku}")
async def stock(sku: str) -> int:
    return await inventory.stock(sku)


@app.get("/stock-in-a-thread/{sku}")
def stock_in_a_thread(sku: str) -> int:
    return blocking(inventory.stock)(sku)


@app.get("/link")
async def link(request: Request) -> str:
    return str(request.url_for("item", number=1).path)
