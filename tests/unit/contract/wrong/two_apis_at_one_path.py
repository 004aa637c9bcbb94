#: 16: Office.order answers GET /api/orders/{number}, and so does Shop.order. Give one of the APIs another prefix.
"""A path has one answer."""

from __future__ import annotations
from ramet import Api, get


class Shop(Api, prefix="/api"):
    @get("/orders/{id}")
    async def order(self, id: str) -> str:
        return ""


class Office(Api, prefix="/api"):
    @get("/orders/{number}")
    async def order(self, number: int) -> str:
        return ""
