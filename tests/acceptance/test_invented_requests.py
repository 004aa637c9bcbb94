"""Schemathesis invents requests to the shop: none is answered with a 500, and each as the document says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from ramet.http.server import HttpServer
from ramet.model.topology import Deployment
from ramet.runtime.web import web
from ramet.testing import running
from shop.catalog.contract import Catalog, Product
from shop.inventory.contract import Inventory, Line

SHOP = Path(__file__).parents[2] / "examples" / "shop"
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
TEA = Product(sku="tea", name="Tea", description="", category="tea", price_cents=500, grams=100)
SETTINGS = {"users": {"token_secret": "for a test", "password_cost": 2}, "payments": {}}


async def test_no_invented_request_breaks_the_shop(tmp_path: Path) -> None:
    outbox = {"notifications": {"outbox": str(tmp_path)}}
    async with running(SHOP, settings={**SETTINGS, **outbox}) as shop:
        await shop.client(Catalog).add((TEA,))
        await shop.client(Inventory).receive((Line(sku="tea", quantity=100),))
        account = {"email": "ann@example.org", "password": "correct horse"}
        await shop.http.post("/api/customers", json={**account, "name": "Ann"})
        token = (await shop.http.post("/api/sessions", json=account)).json()["token"]
        spawn = shop.running.tasks.spawn
        server = HttpServer(web(shop.running, Deployment(name="test")), port=0, spawn=spawn)
        await server.start()
        try:
            await asyncio.to_thread(invent, server.url, {"authorization": f"Bearer {token}"})
        finally:
            await server.stop()


def invent(url: str, headers: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json").exclude(path_regex="/events$")
    for operation in schema.get_all_operations():
        for mode in GenerationMode:
            try:
                _invent(operation.ok(), mode, headers)
            except Unsatisfiable:  # every value fits this operation
                continue


def _invent(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    check()
