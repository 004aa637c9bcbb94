"""Customers who insist: whatever breaks, they repeat their request with the same key until they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.chaos.shop_process import pause

PATIENCE_SECONDS = 120.0
UNANSWERED = (500, 502, 503, 504)
CARDS = (("tok_good", 90), ("tok_empty", 6), ("tok_stolen", 4))


@dataclass
class Promises:
    """What the shop has said to its customers, which it must keep: order ids by the key of the request."""

    orders: dict[str, str] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    requests: int = 0
    repeated: int = 0

    def note(self, key: str, order_id: str) -> None:
        """An order was confirmed to a customer."""
        known = self.orders.setdefault(key, order_id)
        if known != order_id:
            self.contradictions.append(f"the request {key} was answered with two orders, {known} and {order_id}")


class Customer:
    """Orders one thing after the other until told to stop."""

    def __init__(self, number: int, address: str, skus: Sequence[str], promises: Promises, chance: Random) -> None:
        self._number = number
        self._skus = skus
        self._promises = promises
        self._chance = chance
        self._client = httpx.AsyncClient(base_url=f"http://{address}/api", timeout=10)
        self._requests = 0

    async def live(self, closing: asyncio.Event) -> None:
        """Sign up, then shop; the last order is finished, that is, answered."""
        async with self._client:
            account = {"email": f"customer-{self._number}@example.org", "password": "correct horse"}
            await self._insist("POST", "/customers", {**account, "name": f"Customer {self._number}"})
            session = await self._insist("POST", "/sessions", account)
            self._client.headers["authorization"] = f"Bearer {session['token']}"
            address = {"street": "1 Station Road", "city": "Basel", "country": "CH"}
            await self._insist("PATCH", "/profile", {"address": address, "channels": ["email"]})
            while not closing.is_set():
                await self._shop()

    async def _shop(self) -> None:
        for sku in self._chance.sample(self._skus, 2):
            await self._insist("PUT", f"/cart/{sku}", {"quantity": self._chance.randint(1, 3)})
        (card,) = self._chance.choices([name for name, _ in CARDS], [share for _, share in CARDS])
        key = self._next_key()
        order = await self._insist("POST", "/orders", {"card": card}, key=key)
        if order is None:  # the profile has not reached the orders yet
            return
        self._promises.note(key, order["id"])
        if self._chance.random() < 0.2:  # ask again, as a client does that has lost the answer
            again = await self._insist("POST", "/orders", {"card": card}, key=key)
            self._promises.note(key, again["id"] if again else "nothing")
        if self._chance.random() < 0.1:
            await self._insist("POST", f"/orders/{order['id']}/cancellation")
        await self._change_profile()

    async def _change_profile(self) -> None:
        """Several times at once: one after the other in the database, and so for whoever keeps a copy."""
        async with asyncio.TaskGroup() as group:
            for phone in range(4):
                group.create_task(self._insist("PATCH", "/profile", {"phone": f"00{phone}"}))

    async def _insist(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        key = key or self._next_key()
        now = asyncio.get_running_loop().time
        end = now() + PATIENCE_SECONDS
        while True:
            self._promises.requests += 1
            try:
                answer = await self._client.request(method, path, json=body, headers={"idempotency-key": key})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in UNANSWERED:
                return answer.json() if answer.is_success and answer.content else None
            self._promises.repeated += 1
            if now() > end:
                said = "no answer" if answer is None else f"{answer.status_code} {answer.text}"
                raise RuntimeError(f"{method} {path} got for {PATIENCE_SECONDS:g} s nothing but {said}.")
            await pause(0.05)

    def _next_key(self) -> str:
        self._requests += 1
        return f"customer-{self._number}-{self._requests}"
