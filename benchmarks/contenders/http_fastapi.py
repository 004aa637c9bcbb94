"""FastAPI with pydantic, and the same rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

from benchmarks.contenders.http_server import serve

Text = Annotated[str, Field(min_length=1, max_length=200)]
Quantity = Annotated[int, Field(ge=1, le=1000)]


class Line(BaseModel):
    sku: Text
    quantity: Quantity
    price: float


class Address(BaseModel):
    street: Text
    city: Text
    code: Text
    country: Text


class NewOrder(BaseModel):
    customer: Text
    lines: list[Line]
    address: Address
    gift: bool = False
    note: str | None = None


class Receipt(BaseModel):
    id: str
    customer: str
    city: str
    pieces: int
    total: float
    lines: list[Line]


class Product(BaseModel):
    sku: str
    name: str
    related: list[str]
    detailed: bool


app = FastAPI()


@app.post("/api/orders", status_code=201)
async def place(order: NewOrder) -> Receipt:
    return Receipt(
        id="order-1",
        customer=order.customer,
        city=order.address.city,
        pieces=sum(line.quantity for line in order.lines),
        total=sum(line.quantity * line.price for line in order.lines),
        lines=order.lines,
    )


@app.get("/api/products/{sku}")
async def show(sku: str, limit: Annotated[int, Query(ge=1, le=100)] = 10, detailed: bool = False) -> Product:  # noqa: FBT001, FBT002 - a query parameter
    return Product(sku=sku, name="Chair", related=[f"{sku}-{n}" for n in range(limit)], detailed=detailed)


if __name__ == "__main__":
    serve(app)
