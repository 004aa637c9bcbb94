"""Units are what is deployed by itself: an image, or a project that serves; libraries and scripts are none."""

from __future__ import annotations

import pytest

from ramet.advisor.facts import Facts, Module, Place, Request, Route, Signal
from ramet.advisor.units import Units


def module(path: str, lines: int = 100) -> Module:
    return Module(path=path, name=path, lines=lines)


def signal(name: str, path: str) -> Signal:
    return Signal(name=name, place=Place(path=path, line=1))


def base(*signals: Signal, routes: tuple[Route, ...] = (), more: tuple[Module, ...] = ()) -> Facts:
    modules = (module("orders/app.py"), module("stock/app.py"), *more)
    return Facts(root="x", modules=modules, signals=signals, routes=routes)


IMAGES = (signal("dockerfile", "orders/Dockerfile"), signal("dockerfile", "stock/Dockerfile"))


def test_folders_with_images_are_units() -> None:
    assert [one.name for one in Units(base(*IMAGES)).all] == ["orders", "stock"]


def test_units_in_folders_of_one_name_are_told_apart() -> None:
    paths = ("cart/src/main.py", "pay/src/main.py", "a/web/app.py", "b/web/app.py")
    images = tuple(signal("dockerfile", f"{path.rpartition('/')[0]}/Dockerfile") for path in paths)
    facts = Facts(root="x", modules=tuple(module(path) for path in paths), signals=images)
    assert [one.name for one in Units(facts).all] == ["a/web", "b/web", "cart", "pay"]


def test_a_project_is_a_unit_where_it_serves_something_and_else_a_library() -> None:
    marks = (IMAGES[0], signal("project", "stock/pyproject.toml"))
    route = Route(place=Place(path="stock/app.py", line=3), method="GET", path="/stock")
    assert not Units(base(*marks)).several
    assert Units(base(*marks, routes=(route,))).several


def test_a_module_called_setup_inside_a_package_marks_nothing() -> None:
    route = Route(place=Place(path="stock/app.py", line=3), method="GET", path="/stock")
    inside = (module("stock/__init__.py", 0),)
    assert not Units(base(IMAGES[0], signal("project", "stock/setup.py"), routes=(route,), more=inside)).several


def test_two_images_beside_a_large_application_do_not_make_it_services() -> None:
    assert not Units(base(*IMAGES, more=(module("monolith/app.py", 5000),))).several


@pytest.mark.parametrize(
    ("target", "unit"),
    [
        ("http://stock:8000/items", "stock"),
        ("http://stock-service.prod.svc/items", "stock"),
        ("{settings.STOCK_URL}/items", "stock"),
        ("{STOCK_SERVICE_BASE_URL}/{sku}", "stock"),
        ("STOCK_HOST", "stock"),
        ("http://localhost:8000/stock", None),
        ("{url}/stock", None),
        ("http://[{host}]/x", None),
        ("", None),
    ],
)
def test_a_request_is_addressed_by_host_or_by_the_setting_that_holds_it(target: str, unit: str | None) -> None:
    request = Request(place=Place(path="orders/app.py", line=1), method="GET", target=target)
    assert Units(base(*IMAGES)).addressed(request) == unit
