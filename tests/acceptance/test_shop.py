"""The story of the shop, told over its public API: the same in every placement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ramet.testing import Placement, RunningApplication, VirtualClock, running
from shop.catalog.contract import Catalog, Product
from shop.inventory.contract import Inventory, Line, ReservationExpired
from shop.notifications.contract import Notifications
from shop.orders.contract import OrderCancelled, OrderConfirmed
from shop.payments.contract import PaymentCaptured, PaymentRefunded, Payments
from shop.shipping.contract import ParcelMoved

SHOP = Path(__file__).parents[2] / "examples" / "shop"
ADDRESS = {"street": "Gerbergasse 1", "city": "Basel", "country": "CH"}
PLACEMENTS: tuple[Placement, ...] = ("together", "strict", "apart")


@pytest.fixture(params=PLACEMENTS)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningApplication]:
    settings = {
        "users": {"token_secret": "for a test", "password_cost": 2},
        "orders": {"time_to_cancel": "1m"},
        "shipping": {"leg": "20s"},
        "payments": {"lost_reply_rate": 0.5},
        "notifications": {"outbox": str(tmp_path / "outbox")},
    }
    async with running(SHOP, clock=VirtualClock(), placement=request.param, settings=settings) as shop:
        products = [
            Product(sku=f"tea-{n:02}", name=f"Tea {n}", description="", category="tea", price_cents=500, grams=100)
            for n in range(30)
        ]
        await shop.client(Catalog).add(tuple(products))
        await shop.client(Inventory).receive(tuple(Line(sku=product.sku, quantity=10) for product in products))
        yield shop


class Customer:
    """Somebody at a browser."""

    def __init__(self, shop: RunningApplication) -> None:
        self.shop = shop
        self.id = ""

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.shop.http.request(method, f"/api{path}", json=body, headers=sent)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def sign_up(self, name: str) -> Customer:
        account = {"email": f"{name}@example.org", "password": "correct horse"}
        self.id = (await self.ask("POST", "/customers", {**account, "name": name}, status=201))["id"]
        session = await self.ask("POST", "/sessions", account, status=201)
        self.shop.http.headers["authorization"] = f"Bearer {session['token']}"
        return self

    async def order(self, *, card: str = "tok_good", quantity: int = 2, **headers: str) -> Any:
        await self.ask("PUT", "/cart/tea-07", {"quantity": quantity}, status=204)
        return await self.ask("POST", "/orders", {"card": card, "ship_to": ADDRESS}, status=201, **headers)


@pytest.fixture
async def ann(shop: RunningApplication) -> Customer:
    return await Customer(shop).sign_up("Ann")


async def test_an_order_is_paid_shipped_and_confirmed(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()
    assert placed["status"] == "placed"
    assert placed["total_cents"] == 2 * 500 + placed["shipping_cents"]

    await shop.eventually(lambda: shop.published(OrderConfirmed), within="2m")

    order = await ann.ask("GET", f"/orders/{placed['id']}")
    shipment = await ann.ask("GET", f"/orders/{placed['id']}/shipment")
    billing = await ann.ask("GET", "/billing")
    assert (order["status"], order["tracking"]) == ("confirmed", shipment["tracking"])
    assert [entry["kind"] for entry in billing["items"]] == ["captured", "authorised"]
    assert [event.amount_cents for event in await shop.published(PaymentCaptured)] == [placed["total_cents"]]
    assert (await ann.ask("GET", "/products/tea-07"))["in_stock"] == 8


async def test_a_declined_card_releases_the_goods_and_the_customer_hears_why(
    shop: RunningApplication, ann: Customer
) -> None:
    placed = await ann.order(card="tok_empty")

    await shop.eventually(lambda: shop.published(OrderCancelled))

    order = await ann.ask("GET", f"/orders/{placed['id']}")
    assert (order["status"], order["reason"]) == ("cancelled", "The card was declined: insufficient funds.")
    assert (await ann.ask("GET", "/products/tea-07"))["in_stock"] == 10
    (message,) = await shop.eventually(lambda: shop.client(Notifications).sent(ann.id))
    assert "insufficient funds" in message.text


async def test_goods_that_ran_out_cancel_the_order(shop: RunningApplication, ann: Customer) -> None:
    await ann.order(quantity=11)

    (cancelled,) = await shop.eventually(lambda: shop.published(OrderCancelled))

    assert cancelled.reason == "There are not enough of tea-07."
    assert await shop.published(PaymentRefunded) == []


async def test_a_customer_may_cancel_for_a_while_and_gets_the_money_back(
    shop: RunningApplication, ann: Customer
) -> None:
    placed = await ann.order()
    await shop.advance("50s")

    cancelling = await ann.ask("POST", f"/orders/{placed['id']}/cancellation", status=202)
    assert cancelling["status"] == "cancelling"
    await shop.eventually(lambda: shop.published(OrderCancelled), within="2m")

    assert [event.order_id for event in await shop.published(PaymentRefunded)] == [placed["id"]]
    assert (await ann.ask("GET", "/products/tea-07"))["in_stock"] == 10
    problem = await ann.ask("POST", f"/orders/{placed['id']}/cancellation", status=409)
    assert problem["code"] == "too-late"


async def test_a_changed_profile_reaches_orders_billing_and_notifications(
    shop: RunningApplication, ann: Customer
) -> None:
    change = {"name": "Anna", "address": ADDRESS, "channels": ["sms"], "phone": "+41 61 555"}
    await ann.ask("PATCH", "/profile", change)
    await ann.ask("PUT", "/cart/tea-07", {"quantity": 1}, status=204)

    async def ship_home() -> Any:
        answer = await shop.http.post("/api/orders", json={"card": "tok_good"})
        return answer.status_code == 201 and answer.json()

    placed = await shop.eventually(ship_home)
    await shop.eventually(lambda: shop.published(OrderConfirmed), within="2m")

    assert placed["ship_to"] == ADDRESS
    assert {entry.billed_to for entry in await shop.client(Payments).billing(ann.id)} == {"Anna"}
    (message,) = await shop.eventually(lambda: shop.client(Notifications).sent(ann.id))
    assert (message.channel, message.recipient) == ("sms", "+41 61 555")


async def test_a_parcel_is_followed_to_the_door(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()
    await shop.advance("3m")

    moves = await shop.published(ParcelMoved)
    order = await ann.ask("GET", f"/orders/{placed['id']}")

    assert [move.status for move in moves] == ["collected", "in transit", "delivered"]
    assert [happening["what"] for happening in order["history"]] == [
        "Placed.",
        "Paid, and handed over for shipment.",
        "The parcel is collected.",
        "The parcel is in transit.",
        "The parcel is delivered.",
    ]


async def test_a_forgotten_reservation_expires(shop: RunningApplication) -> None:
    inventory = shop.client(Inventory)
    await inventory.reserve("forgotten", (Line(sku="tea-07", quantity=3),))

    await shop.advance("16m")

    assert [event.order_id for event in await shop.published(ReservationExpired)] == ["forgotten"]
    assert await inventory.stock("tea-07") == 10


async def test_an_order_that_is_sent_twice_is_placed_once(shop: RunningApplication, ann: Customer) -> None:
    first = await ann.order(idempotency_key="a key")
    again = await ann.ask(
        "POST", "/orders", {"card": "tok_good", "ship_to": ADDRESS}, status=201, idempotency_key="a key"
    )

    assert again == first
    assert len((await ann.ask("GET", "/orders"))["items"]) == 1


async def test_an_order_is_followed_by_server_sent_events(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()
    await shop.eventually(lambda: shop.published(OrderConfirmed), within="2m")

    answer = await shop.http.get(f"/api/orders/{placed['id']}/events", headers={"last-event-id": "1"})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "Paid, and handed over" in answer.text
    assert "Placed." not in answer.text


async def test_products_come_in_pages(ann: Customer) -> None:
    first = await ann.ask("GET", "/products?q=tea&limit=20")
    rest = await ann.ask("GET", f"/products?q=tea&limit=20&cursor={first['next']}")

    assert [len(page["items"]) for page in (first, rest)] == [20, 10]
    assert rest["next"] is None


async def test_who_has_not_signed_in_has_no_cart(shop: RunningApplication) -> None:
    assert (await shop.http.get("/api/cart")).status_code == 401
    forged = await shop.http.get("/api/cart", headers={"authorization": "Bearer ann.9999999999.0000"})
    assert forged.status_code == 401
