#: 26: Shop.order has {id} in its path, and no such parameter. Add `id: str`, or take it out of the path.
#: 30: Shop.orders has no type for page. Write `page: str`, for instance.
#: 30: Shop.orders has the path "orders". Begin it with a slash: "/orders".
#: 34: Shop.place cannot take order: Order.lines: list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
#: 34: Shop.place is not async. Write `async def`.
#: 38: Shop.clear asks for the Caller, and its API never says who that is: everybody would get 401. Override `authenticate`.
#: 40: Shop.again answers POST /api/orders, and so does place. Change the path or the method of one.
#: 40: Shop.again answers with status 301. Use one of 200 to 299; say no by raising a Refusal with a status.
#: 40: Shop.again cannot take first: Order.lines: list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
#: 40: Shop.again cannot take second: Order.lines: list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
#: 40: Shop.again has no result type. Write `-> None`, or the type that it returns.
#: 40: Shop.again takes 2 bodies: first, second. Make one Struct of them, or mark what is not a body: Annotated[…, Query()].
#: 42: Shop.unknown has the unknown type "Text". Import Text, or mend the name.
"""Each operation of an API is judged like a method of a contract."""

from __future__ import annotations
from ramet import Api, Caller, Struct, delete, get, post


class Order(Struct):
    lines: list[str]


class Shop(Api, prefix="/api"):
    @get("/orders/{id}")
    async def order(self) -> str:
        return ""

    @get("orders")
    async def orders(self, page) -> str:
        return ""

    @post("/orders")
    def place(self, order: Order) -> str:
        return ""

    @delete("/orders")
    async def clear(self, order: tuple[str, ...], caller: Caller) -> None: ...
    @post("/orders", status=301)
    async def again(self, first: Order, second: Order): ...
    @get("/unknown", deadline="soon", max_body="much")
    async def unknown(self, text: Text) -> str:
        return ""
