"""The tables are what the migrations make of an empty database."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from ramet.storage.migrations import Migrations
from ramet.storage.sqlite import SqliteStorage
from shop.catalog.service import CatalogService
from shop.inventory.service import InventoryService
from shop.notifications.service import NotificationsService
from shop.orders.service import OrdersService
from shop.payments.service import PaymentsService
from shop.shipping.service import ShippingService
from shop.users.service import UsersService

SERVICES = (
    CatalogService,
    InventoryService,
    NotificationsService,
    OrdersService,
    PaymentsService,
    ShippingService,
    UsersService,
)


@pytest.mark.parametrize("service", SERVICES)
async def test_the_tables_equal_the_sum_of_the_migrations(service) -> None:
    folder = Path(inspect.getfile(service)).parent / "migrations"
    storage = SqliteStorage("test")
    await storage.open(())
    try:
        migrations = Migrations(storage, folder, service.__ramet_line__.tables)
        await migrations.migrate()
        assert await migrations.check() == ()
    finally:
        await storage.close()
