"""The worlds in which the story of the shop is told: where its services are, on which engines, in whose time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from ramet.testing import Placement, RunningApplication, Servers, VirtualClock, running
from shop.catalog.contract import Catalog, Product
from shop.inventory.contract import Inventory, Line

SHOP = Path(__file__).parents[2] / "examples" / "shop"
NUMBERS = range(30)
STOCK = 10


@dataclass(frozen=True, kw_only=True)
class World:
    """On real engines time is real, so durations are short, and one shop is shared by all stories."""

    placement: Placement
    storage: str = "sqlite"
    broker: str = "memory"

    def __str__(self) -> str:
        return " ".join((self.placement, *self.needs)) or self.placement

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name for name in (self.storage, self.broker) if name not in ("sqlite", "memory"))

    @property
    def is_virtual(self) -> bool:
        return not self.needs

    @asynccontextmanager
    async def shop(self, url: Callable[[str], str], folder: Path) -> AsyncIterator[RunningApplication]:
        """The shop with its shelves full; `url` says where a server is."""
        servers = Servers(**{kind: url(name) for kind, name in self._servers})
        clock = VirtualClock() if self.is_virtual else None
        settings = self._settings(folder)
        async with running(SHOP, clock=clock, placement=self.placement, servers=servers, settings=settings) as shop:
            products = [
                Product(sku=f"tea-{n:02}", name=f"Tea {n}", description="", category="tea", price_cents=500, grams=100)
                for n in NUMBERS
            ]
            await shop.client(Catalog).add(tuple(products))
            await shop.client(Inventory).receive(tuple(Line(sku=one.sku, quantity=STOCK) for one in products))
            yield shop

    @property
    def _servers(self) -> list[tuple[str, str]]:
        named = [("storage", self.storage), ("broker", self.broker)]
        return [(kind, name) for kind, name in named if name in self.needs]

    def _settings(self, folder: Path) -> dict[str, dict[str, Any]]:
        return {
            "users": {"token_secret": "for a test", "password_cost": 2},
            "orders": {"time_to_cancel": "1m" if self.is_virtual else "500ms"},
            "shipping": {"leg": "20s" if self.is_virtual else "100ms"},
            "payments": {"lost_reply_rate": 0.5 if self.is_virtual else 0.1},
            "notifications": {"outbox": str(folder / "outbox")},
        }


ALL = tuple(
    World(placement=placement, storage=storage, broker=broker)
    for placement, storage, broker in (
        *product(get_args(Placement), ("sqlite", "postgresql"), ("memory", "nats", "rabbitmq")),
        ("apart", "sqlite", "redis"),  # a third broker is as good as a second: the near one and the far one suffice
        ("processes", "postgresql", "redis"),
    )
    if (placement, broker) != ("processes", "memory")  # which does not leave a process
)
VIRTUAL = tuple(world for world in ALL if world.is_virtual)
REAL = tuple(world for world in ALL if not world.is_virtual)


def params(*worlds: World) -> list[Any]:
    """Parameters of a fixture, each with the servers that it needs."""
    return [pytest.param(world, id=str(world), marks=pytest.mark.needs(*world.needs)) for world in worlds]
