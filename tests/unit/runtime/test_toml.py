"""Where keys and tables of a TOML file are written, and what is said of mistakes."""

from __future__ import annotations

import msgspec
import pytest

from ramet.errors import ConfigurationError
from ramet.runtime.toml import Lines, Mistakes, nearest, parsed

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


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = 1\n\nb = '\xe4'\n", "f.toml:3: this is not UTF-8 (invalid continuation byte, byte 12): save the file"),
        ("a = 1".encode("utf-16"), "f.toml:1: this is not UTF-8"),
        (b"a = 1\nb = " + b"9" * 5000, "f.toml:2: this cannot be read: the number has too many digits."),
        (b"a = " + b"[" * 100_000, "f.toml: lists or tables are nested too deeply in it."),
        (b"a = 1\na = 2\n", "f.toml:2: a is written twice: keep one of them."),
        (b"[a.b]\nc = 1\n[a.b]\nd = 1\n", "f.toml:3: [a.b] is written twice: put what both say into one."),
        (b"a = 1\nb = yes\n", "f.toml:2: b has no valid value: text is written in quotes"),
        (b"a = 1\n[b", "f.toml:2: Expected ']' at the end of a table declaration."),
        (b"a = 1\nb\n\n", "f.toml:2: Expected '=' after a key in a key/value pair."),
    ],
)
def test_what_is_no_toml_is_one_sentence_with_its_line(content: bytes, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed("f.toml", content)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa = 1\nb = 2", b"a = 1\r\nb = 2\r\n", b"a = 1\rb = 2"])
def test_files_of_other_editors_are_read(content: bytes) -> None:
    text, document = parsed("f.toml", content)
    assert document == {"a": 1, "b": 2}
    assert Lines(text).of("b") == 2


def test_only_what_ends_a_line_of_toml_counts_as_one() -> None:
    assert Lines("a = '\u2028\x85\u2029'\nb = 2").of("b") == 2


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
