"""Where keys and tables of a TOML file are written, and what is said of mistakes."""

from __future__ import annotations

import msgspec
import pytest

from ramet.runtime.toml import Lines, Mistakes, nearest

TEXT = """
[application]
name = "shop"

[deployment.split]
gateway = { listen = "x" }
"process".edge.replicas = 2

[deployment.split.process.rest]   # the others
services = [
    "a", "b",
]
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("application",), 2),
        (("application", "name"), 3),
        (("deployment",), 5),
        (("deployment", "split", "gateway"), 6),
        (("deployment", "split", "gateway", "listen"), 6),
        (("deployment", "split", "process", "edge", "replicas"), 7),
        (("deployment", "split", "process", "rest"), 9),
        (("deployment", "split", "process", "rest", "services"), 10),
        (("deployment", "split", "process", "rest", "missing"), 9),
        (("deployment", "other"), 5),
        (("nothing",), 1),
    ],
)
def test_a_key_is_found_where_it_is_written_or_in_the_table_around_it(keys: tuple[str, ...], line: int) -> None:
    assert Lines(TEXT).of(*keys) == line


def test_every_mistake_is_told_once_and_in_the_order_of_the_lines() -> None:
    mistakes = Mistakes("ramet.toml", Lines(TEXT).of)
    mistakes.add(("deployment", "split", "gateway"), "second.")
    mistakes.add(("application", "name"), "first.")
    mistakes.add(("application", "name"), "first.")
    assert list(mistakes) == ["ramet.toml:3: first.", "ramet.toml:6: second."]


class Table(msgspec.Struct):
    one: int
    two: int = 0


def test_each_key_that_does_not_fit_is_a_mistake() -> None:
    mistakes = Mistakes("ramet.toml", Lines('[t]\none = "a"\ntwo = "b"').of)
    assert mistakes.convert(("t",), {"one": 1, "two": "b"}, Table) is None
    assert list(mistakes) == ["ramet.toml:3: [t] two: expected an integer, got a string."]


def test_a_misspelt_name_is_recognised() -> None:
    assert nearest("storefornt", ["storefront", "users"]) == "storefront"
    assert nearest("moon", ["storefront", "users"]) is None
