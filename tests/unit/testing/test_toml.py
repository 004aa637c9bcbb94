"""The ramet.toml of a test is read as what was written."""

from __future__ import annotations

import tomllib
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet import Application, Contract, Mounted, query
from ramet.errors import UsageError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import load
from ramet.testing.toml import document, value

VALUES = st.recursive(
    st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.dates() | st.times(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_whatever_can_be_set_comes_back(given: Any) -> None:
    assert tomllib.loads(f"it = {value(given)}") == {"it": given}


@pytest.mark.parametrize(
    ("given", "read"),
    [(timedelta(minutes=1), 60.0), (("a", 1), ["a", 1]), (date(2030, 1, 1), date(2030, 1, 1)), (time(9), time(9))],
    ids=str,
)
def test_durations_become_seconds_and_tuples_lists(given: Any, read: Any) -> None:
    assert tomllib.loads(f"it = {value(given)}") == {"it": read}


@pytest.mark.parametrize("given", [None, b"bytes", {"deep": [object()]}], ids=["nothing", "bytes", "an object"])
def test_what_toml_has_no_words_for_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="no words for"):
        value(given)


def test_the_file_is_read_as_the_same_application(tmp_path: Path) -> None:
    application = Application(
        "shop", services=["shop.orders", "shop.stock", Mounted(name="old", app="old:app", prefix="/old")]
    )
    deployment = Deployment(name="split", data="data", storage="postgresql://u:p@h/d", broker="nats://h:1?sync=always")
    settings = {"orders": {"hold": timedelta(seconds=2), "names": ("a", "b")}, "gift-cards": {"on": True}}

    (tmp_path / "ramet.toml").write_text(document("shop_1", application, deployment, settings), encoding="utf-8")
    found = load(tmp_path / "ramet.toml")

    assert found.application.name == "shop_1"
    assert found.application.services == application.services
    assert found.settings == {"orders": {"hold": 2.0, "names": ["a", "b"]}, "gift-cards": {"on": True}}
    assert found.deployment("split", {}) == deployment


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self) -> int: ...


class StockService(Stock):
    async def level(self) -> int:
        return 1


@pytest.mark.parametrize("part", [StockService, Mounted(name="old", app=object())], ids=["a class", "an object"])
def test_what_cannot_be_imported_by_name_is_refused(part: Any) -> None:
    with pytest.raises(UsageError, match="Processes import their services by name"):
        document("shop", Application("shop", services=[part]), Deployment(), {})
