"""Somebody at a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ramet import Event
from ramet.testing import RunningApplication
from tests.acceptance.worlds import NUMBERS

if TYPE_CHECKING:
    import httpx

ADDRESS = {"street": "Gerbergasse 1", "city": "Basel", "country": "CH"}
CREATED, TOO_LATE = 201, 409
E = TypeVar("E", bound=Event)


class Customer:
    """A customer with a number, who buys a product that the others leave alone."""

    def __init__(self, shop: RunningApplication, number: int) -> None:
        self.shop = shop
        self.number = number
        self.sku = f"tea-{number % len(NUMBERS):02}"
        self.id = ""
        self.orders: set[str] = set()
        self._token = ""

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        return await self.shop.http.request(method, f"/api{path}", json=body, headers=sent)

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        answer = await self.send(method, path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def sign_up(self, name: str) -> Customer:
        account = {"email": f"{name}-{self.number}@example.org", "password": "correct horse"}
        self.id = (await self.ask("POST", "/customers", {**account, "name": name}, status=201))["id"]
        self._token = (await self.ask("POST", "/sessions", account, status=201))["token"]
        return self

    async def order(self, *, card: str = "tok_good", quantity: int = 2, **headers: str) -> Any:
        await self.ask("PUT", f"/cart/{self.sku}", {"quantity": quantity}, status=204)
        placed = await self.ask("POST", "/orders", {"card": card, "ship_to": ADDRESS}, status=201, **headers)
        self.orders.add(placed["id"])
        return placed

    async def order_and_cancel(self) -> Any:
        """The order, or None where the time for cancelling was over before it could be used."""
        placed = await self.order(quantity=1)
        answer = await self.send("POST", f"/orders/{placed['id']}/cancellation")
        return None if answer.status_code == TOO_LATE else placed

    async def order_to_home(self) -> Any:
        """None as long as the shop does not know where that is."""
        await self.ask("PUT", f"/cart/{self.sku}", {"quantity": 1}, status=204)
        answer = await self.send("POST", "/orders", {"card": "tok_good"})
        if answer.status_code != CREATED:
            return None
        self.orders.add(answer.json()["id"])
        return answer.json()

    async def heard(self, event: type[E]) -> list[E]:
        """The published events of a kind about this customer's orders."""
        return [one for one in await self.shop.published(event) if getattr(one, "order_id", "") in self.orders]

    async def heard_of(self, order: Any, event: type[E]) -> list[E]:
        """Those about one order."""
        return [one for one in await self.heard(event) if getattr(one, "order_id", "") == order["id"]]

    async def in_stock(self) -> int:
        """How many of the product are for sale."""
        return (await self.ask("GET", f"/products/{self.sku}"))["in_stock"]
