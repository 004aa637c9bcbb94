"""A virtual customer: browses, fills a cart, orders, sometimes cancels, moves house, or finds the card empty."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from random import Random
from typing import Any

from demo.browser import Browser
from demo.tally import Tally

NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jan", "Kim", "Leo", "Mia", "Noa", "Otto")
CITIES = {"Basel": "CH", "Bern": "CH", "Wien": "AT", "Lyon": "FR", "Ulm": "DE", "Turin": "IT", "Oslo": "NO"}
WISHES = ("copper", "blue", "oak", "tea", "lamp", "kite", "folding", "music", "bell", "drum", "map", "pot", "gnome")
REFUSED = (402, 404, 409)


@dataclass
class Customer:
    """`pause` is how many seconds pass between two requests, on average."""

    browser: Browser
    tally: Tally
    chance: Random
    pause: float

    async def live(self) -> None:
        await self.arrive()
        while True:
            await self.fill_the_cart()
            order = await self.check_out()
            if order is not None:
                await self.wait_for(order)
            if self.chance.random() < 0.1:
                await self.move_house()

    async def arrive(self) -> None:
        name = self.chance.choice(NAMES)
        account = {"email": f"{name}.{uuid.uuid4().hex}@example.org".lower(), "password": "correct horse"}
        await self.ask("sign up", "POST", "/customers", {**account, "name": name})
        session = await self.ask("sign in", "POST", "/sessions", account)
        self.browser.token = session["token"]
        await self.move_house()

    async def move_house(self) -> None:
        city, country = self.chance.choice(list(CITIES.items()))
        address = {"street": f"{self.chance.randrange(1, 99)} Station Road", "city": city, "country": country}
        channels = self.chance.choice((["email"], ["email", "push"], ["sms"]))
        change = {"address": address, "channels": channels, "phone": "+41 61 555 00 00"}
        await self.ask("change profile", "PATCH", "/profile", change)

    async def fill_the_cart(self) -> None:
        for _ in range(self.chance.randrange(1, 4)):
            found = await self.ask("search", "GET", f"/products?q={self.chance.choice(WISHES)}&limit=20")
            if not found["items"]:
                continue
            sku = self.chance.choice(found["items"])["sku"]
            seen = await self.ask("look at a product", "GET", f"/products/{sku}")
            if seen["in_stock"]:
                await self.ask("fill the cart", "PUT", f"/cart/{sku}", {"quantity": self.chance.randrange(1, 4)})

    async def check_out(self) -> str | None:
        card = self.chance.choices(("tok_good", "tok_empty", "tok_stolen"), (94, 4, 2))[0]
        order = await self.ask("check out", "POST", "/orders", {"card": card})
        if order is None:
            return None
        if self.chance.random() < 0.06:
            await self.ask("cancel", "POST", f"/orders/{order['id']}/cancellation")
        return str(order["id"])

    async def wait_for(self, order_id: str) -> None:
        """Follow an order by server-sent events, until it is confirmed or cancelled."""
        with self.tally.timed("an order decided"):
            await self.browser.wait_for_the_end(f"/api/orders/{order_id}/events")

    async def ask(self, what: str, method: str, path: str, body: Any = None) -> Any:
        """Send a request after some thought; None when the shop refuses."""
        await asyncio.sleep(self.chance.expovariate(1 / self.pause))
        with self.tally.timed(what):
            answer = await self.browser.request(method, f"/api{path}", body)
        self.tally.count("requests")
        if answer.status in REFUSED:
            self.tally.count("refusals")
            return None
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body
