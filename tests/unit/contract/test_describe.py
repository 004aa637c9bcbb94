"""The model of an application says what its declarations say."""

from __future__ import annotations

from typing import Any

import pytest

from ramet.contract.describe import describe
from ramet.contract.reading.application import read
from ramet.model import application as model
from tests.unit.model.shop import SHOP


@pytest.fixture(scope="module")
def shop() -> model.Application:
    return describe(read(SHOP))


def test_parts_stand_in_the_order_of_their_declaration(shop: model.Application) -> None:
    assert shop.name == "shop"
    assert [one.name for one in shop.contracts] == ["order-book", "stock"]
    assert [one.name for one in shop.services] == ["order-book", "stock"]
    assert [one.name for one in shop.apis] == ["shop"]
    assert shop.mounted == (model.Mounted(name="legacy", app="old.wsgi:application", prefix="/old"),)


def test_a_contract_has_its_methods_refusals_and_events(shop: model.Application) -> None:
    stock = shop.contracts[1]
    assert (stock.version, stock.doc) == ("1.0.0", "Keeps goods.")
    level, reserve = stock.methods
    assert (level.name, level.kind, level.result) == ("level", "query", {"type": "integer"})
    assert (reserve.kind, reserve.refuses, reserve.result) == ("command", ("OutOfStock",), {"type": "null"})
    assert reserve.parameters == (
        model.Parameter(name="order_id", schema={"type": "string"}),
        model.Parameter(name="lines", schema={"type": "array", "items": {"$ref": "#/application/schemas/Line"}}),
    )
    (refusal,) = stock.refusals
    assert (refusal.name, refusal.status, refusal.doc) == ("OutOfStock", 410, "There is no {sku}.")
    facts = resolved(shop, refusal.schema)
    assert facts["required"] == ["sku"]
    assert facts["properties"]["left"] == {"type": "integer", "default": 0}
    (event,) = stock.events
    assert (event.name, event.owner, event.key, event.version) == ("Reserved", "stock", "order_id", 2)
    assert event.doc == "Goods were put aside."


def test_defaults_are_in_the_schema_as_json(shop: model.Application) -> None:
    order, at_once, note = shop.contracts[0].methods[0].parameters
    assert (order.required, order.named) == (True, False)
    assert (at_once.required, at_once.named, at_once.schema["default"]) == (False, True, False)
    assert note.schema["default"] is None
    properties = resolved(shop, order.schema)["properties"]
    assert properties["lines"]["default"] == []
    assert properties["placed_at"]["default"] == "2030-01-01T00:00:00Z"


def test_a_service_has_what_it_needs_and_does(shop: model.Application) -> None:
    book, stock = shop.services
    assert (book.contract, book.depends_on, book.database) == ("order-book", ("stock",), True)
    assert book.subscribes == (
        model.Subscription(event="stock.Reserved", method="note_it", start="retained", attempts=3, backoff_seconds=1.0),
    )
    assert (stock.database, stock.doc) == (False, "On the shelf.")
    assert stock.schedules == (
        model.Schedule(method="count", when="0 3 * * *", zone="Europe/Zurich", timeout_seconds=300.0),
        model.Schedule(method="sweep", when="90s"),
    )


def test_a_saga_has_its_steps(shop: model.Application) -> None:
    (saga,) = shop.services[0].sagas
    assert (saga.name, saga.depends_on, saga.doc) == ("Checkout", ("stock",), "From the cart to the door.")
    assert saga.steps == (
        model.Step(name="reserve", undo="release", timeout_seconds=2.0, attempts=3, backoff_seconds=0.05),
        model.Step(name="reserved", kind="wait", event="stock.Reserved", timeout_seconds=3600.0),
        model.Step(name="ship", pivot=True, timeout_seconds=5.0, attempts=10, backoff_seconds=0.1),
    )


def test_no_secret_is_in_the_settings(shop: model.Application) -> None:
    schema = shop.services[1].settings
    assert schema is not None
    assert schema["required"] == ["name"]
    assert schema["properties"]["key"] == {"type": "string", "format": "password", "writeOnly": True}
    assert "secret" not in str(schema)


def test_an_api_has_its_routes(shop: model.Application) -> None:
    (api,) = shop.apis
    assert (api.version, api.prefix, api.depends_on) == ("2.0.0", "/api", ("order-book",))
    assert api.routes == (model.Route(method="GET", path="/api/orders/{id}", handler="order", doc="One order."),)


def test_sources_are_the_same_on_every_machine(shop: model.Application, monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    again = describe(read(SHOP))
    assert again == shop
    assert again.services[0].source.file == "tests/unit/model/shop.py"
    lines = (__import__("pathlib").Path(__file__).parents[1] / "model" / "shop.py").read_text().splitlines()
    assert lines[again.services[0].source.line - 1].startswith("class OrderBookService")


def resolved(application: model.Application, schema: model.Schema) -> dict[str, Any]:
    """What a reference points to."""
    found = application.schemas[schema["$ref"].rpartition("/")[2]]
    assert isinstance(found, dict)
    return found
