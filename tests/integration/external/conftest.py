"""The contract that the program in another language implements."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[3] / "examples/shop"


@pytest.fixture(scope="session")
def recommendations() -> Iterator[ModuleType]:
    """The contract of the recommendations, as the shop has it."""
    name = "shop_recommendations_contract"
    spec = importlib.util.spec_from_file_location(name, FOLDER / "shop/recommendations/contract.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]
