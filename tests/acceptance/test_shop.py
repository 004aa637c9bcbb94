"""The story of the shop, told over its public API: the same in every placement, on every engine."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from ramet.testing import RunningApplication
from shop.inventory.contract import Inventory, Line
from shop.notifications.contract import Notifications
from shop.orders.checkout import Checkout
from shop.orders.contract import OrderCancelled, OrderConfirmed
from shop.payments.contract import PaymentCaptured, PaymentRefunded, Payments
from shop.shipping.contract import ParcelMoved
from tests.acceptance.customer import ADDRESS, Customer
from tests.acceptance.worlds import REAL, VIRTUAL, World, params

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBERS = itertools.count()


@pytest.fixture(scope="module", params=params(*VIRTUAL, *REAL))
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.param
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningApplication | None]:
    """The shop of a world whose time is real; None where each story has a shop, and a time, of its own."""
    async with AsyncExitStack() as stack:
        opening = world.shop(request.getfixturevalue, tmp_path_factory.mktemp("shop"))
        yield None if world.is_virtual else await stack.enter_async_context(opening)


@pytest_asyncio.fixture(loop_scope="module")
async def shop(world: World, shared: RunningApplication | None, tmp_path: Path) -> AsyncIterator[RunningApplication]:
    async with AsyncExitStack() as stack:
        yield shared or await stack.enter_async_context(world.shop(str, tmp_path))


@pytest_asyncio.fixture(loop_scope="module")
async def ann(shop: RunningApplication) -> Customer:
    return await Customer(shop, next(NUMBERS)).sign_up("Ann")


async def test_an_order_is_paid_shipped_and_confirmed(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()
    assert placed["status"] == "placed"
    assert placed["total_cents"] == 2 * 500 + placed["shipping_cents"]

    await shop.eventually(lambda: ann.heard(OrderConfirmed), within="2m")

    order = await ann.ask("GET", f"/orders/{placed['id']}")
    shipment = await ann.ask("GET", f"/orders/{placed['id']}/shipment")
    billing = await ann.ask("GET", "/billing")
    assert (order["status"], order["tracking"]) == ("confirmed", shipment["tracking"])
    assert [entry["kind"] for entry in billing["items"]] == ["captured", "authorised"]
    assert [event.amount_cents for event in await ann.heard(PaymentCaptured)] == [placed["total_cents"]]
    assert await ann.in_stock() == 8
    saga = await shop.saga(Checkout, placed["id"])
    assert saga is not None
    assert saga.key == placed["id"]


async def test_a_declined_card_releases_the_goods_and_the_customer_hears_why(
    shop: RunningApplication, ann: Customer
) -> None:
    placed = await ann.order(card="tok_empty")

    await shop.eventually(lambda: ann.heard(OrderCancelled))

    order = await ann.ask("GET", f"/orders/{placed['id']}")
    assert (order["status"], order["reason"]) == ("cancelled", "The card was declined: insufficient funds.")
    assert await ann.in_stock() == 10
    (message,) = await shop.eventually(lambda: shop.client(Notifications).sent(ann.id))
    assert "insufficient funds" in message.text


async def test_goods_that_ran_out_cancel_the_order(shop: RunningApplication, ann: Customer) -> None:
    await ann.order(quantity=11)

    (cancelled,) = await shop.eventually(lambda: ann.heard(OrderCancelled))

    assert cancelled.reason == f"There are not enough of {ann.sku}."
    assert await ann.heard(PaymentRefunded) == []


async def test_a_customer_may_cancel_for_a_while_and_gets_the_money_back(
    shop: RunningApplication, ann: Customer
) -> None:
    cancelled = await shop.eventually(ann.order_and_cancel, within="2m")

    (heard,) = await shop.eventually(lambda: ann.heard(OrderCancelled), within="2m")

    assert heard.order_id == cancelled["id"]
    billing = [one for one in await shop.client(Payments).billing(ann.id) if one.order_id == cancelled["id"]]
    assert [entry.kind for entry in billing] in ([], ["refunded", "authorised"])
    assert len(await ann.heard(PaymentRefunded)) == len(billing) / 2
    assert (await ann.ask("GET", f"/orders/{cancelled['id']}"))["status"] == "cancelled"
    problem = await ann.ask("POST", f"/orders/{cancelled['id']}/cancellation", status=409)
    assert problem["code"] == "too-late"


async def test_a_changed_profile_reaches_orders_billing_and_notifications(
    shop: RunningApplication, ann: Customer
) -> None:
    change = {"name": "Anna", "address": ADDRESS, "channels": ["sms"], "phone": "+41 61 555"}
    await ann.ask("PATCH", "/profile", change)

    async def is_known_everywhere() -> bool:
        """Each service hears of it by itself, so one of the next orders is as it should be."""
        placed = await ann.order_to_home()
        if placed is None:
            return False
        assert placed["ship_to"] == ADDRESS
        await shop.eventually(lambda: ann.heard_of(placed, OrderConfirmed), within="2m")
        billing = await shop.client(Payments).billing(ann.id)
        messages = await shop.client(Notifications).sent(ann.id)
        billed_to = {entry.billed_to for entry in billing if entry.order_id == placed["id"]}
        told = {(message.channel, message.recipient) for message in messages}
        return billed_to == {"Anna"} and ("sms", "+41 61 555") in told

    await shop.eventually(is_known_everywhere, within="5m")


async def test_goods_that_nobody_has_are_refused_by_name(shop: RunningApplication, ann: Customer) -> None:
    inventory = shop.client(Inventory)

    with pytest.raises(Inventory.OutOfStock) as refused:
        await inventory.reserve(f"too much {ann.sku}", (Line(sku=ann.sku, quantity=11),))

    assert refused.value.sku == ann.sku
    assert await inventory.stock(ann.sku) == 10


async def test_an_order_that_is_sent_twice_is_placed_once(shop: RunningApplication, ann: Customer) -> None:
    key = f"the key of {ann.id}"
    first = await ann.order(idempotency_key=key)
    again = await ann.ask("POST", "/orders", {"card": "tok_good", "ship_to": ADDRESS}, status=201, idempotency_key=key)

    assert again == first
    assert len((await ann.ask("GET", "/orders"))["items"]) == 1


async def test_an_order_is_followed_by_server_sent_events(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()
    await shop.eventually(lambda: ann.heard(OrderConfirmed), within="2m")

    answer = await ann.send("GET", f"/orders/{placed['id']}/events", last_event_id="1")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "Paid, and handed over" in answer.text
    assert "Placed." not in answer.text


async def test_an_event_that_is_published_by_hand_is_handled(shop: RunningApplication, ann: Customer) -> None:
    await shop.publish(OrderCancelled(order_id="by hand", customer_id=ann.id, reason="Because."))

    (message,) = await shop.eventually(lambda: shop.client(Notifications).sent(ann.id))

    assert "Because." in message.text


async def test_products_come_in_pages(ann: Customer) -> None:
    first = await ann.ask("GET", "/products?q=tea&limit=20")
    rest = await ann.ask("GET", f"/products?q=tea&limit=20&cursor={first['next']}")

    assert [len(page["items"]) for page in (first, rest)] == [20, 10]
    assert rest["next"] is None


async def test_who_has_not_signed_in_has_no_cart(shop: RunningApplication) -> None:
    assert (await shop.http.get("/api/cart")).status_code == 401
    forged = await shop.http.get("/api/cart", headers={"authorization": "Bearer ann.9999999999.0000"})
    assert forged.status_code == 401


async def test_parcels_are_moved_by_a_schedule(shop: RunningApplication, ann: Customer) -> None:
    await ann.order()

    moved = await shop.eventually(lambda: shop.published(ParcelMoved), within="2m")

    assert moved[0].status == "collected"
