"""Boundaries that a team has agreed on are read with one sentence for each mistake, and enforced from then on."""

from __future__ import annotations

import pytest

from ramet.advisor.agreement import broken, read_boundaries, write_boundaries
from ramet.advisor.facts import Facts, Kind
from ramet.errors import ConfigurationError
from tests.unit.advisor.invented import at, imports, module

TEXT = """
[boundary.orders]
paths = ["shop/orders"]
may_use = ["shared"]

[boundary.stock]
paths = ["shop/stock", "shop/depot.py"]

[boundary.shared]
paths = ["shop/shared"]
"""
FACTS = Facts(
    root="r",
    modules=tuple(
        module(path) for path in ("shop/orders/a.py", "shop/stock/b.py", "shop/depot.py", "shop/shared/c.py", "x.py")
    ),
    edges=(
        imports("shop/orders/a.py", "shop/shared/c.py", 1),
        imports("shop/orders/a.py", "shop/stock/b.py", 2, 9),
        imports("shop/orders/a.py", "shop/depot.py", 3, kind=Kind.LAZY),
        imports("shop/stock/b.py", "shop/depot.py", 1),
        imports("shop/shared/c.py", "shop/stock/b.py", 1, kind=Kind.TYPING),
        imports("x.py", "shop/stock/b.py", 1),
    ),
)


def test_what_is_not_allowed_is_found_once_for_each_module() -> None:
    (finding,) = broken(FACTS, read_boundaries(TEXT, "rules.toml"))
    assert finding.message == (
        "shop/orders/a.py of orders uses stock (shop/depot.py, shop/stock/b.py), which rules.toml does not allow."
    )
    assert finding.places == (at("shop/orders/a.py", 2), at("shop/orders/a.py", 9), at("shop/orders/a.py", 3))


def test_a_star_allows_everything() -> None:
    assert broken(FACTS, read_boundaries(TEXT.replace('["shared"]', '["*"]'), "rules.toml")) == []


def test_what_is_written_allows_what_there_is() -> None:
    text = write_boundaries(
        {"orders": ["shop/orders"], "stock": ["shop/stock", "shop/depot.py"], "shared": ["shop/shared"]}, FACTS
    )
    assert broken(FACTS, read_boundaries(text, "rules.toml")) == []
    assert 'may_use = ["shared", "stock"]' in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[boundary", "rules.toml: "),
        ("[boundary.a]\npaths = 3", "rules.toml: .boundary.: Expected `array`"),
        ("[boundaries.a]\npaths = []", "there is no table .boundaries."),
        (
            '[boundary.orders]\npaths = []\nmay_use = ["order"]',
            'may use "order", which is no boundary. Did you mean orders',
        ),
    ],
)
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_boundaries(text, "rules.toml")
