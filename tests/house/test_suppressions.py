"""A suppression names the rule it silences and states its reason on the same line."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.house.tree import Module, library, listed, python

SUPPRESSION = re.compile(
    r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore|mypy:|ruff:\s*noqa|pragma:\s*no cover|fmt:\s*off)"
)
REASONED = re.compile(
    r"#\s*(?:(?:ruff:\s*)?noqa:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*|(?:type|pyright):\s*ignore\[[\w, -]+\]"
    r"|mypy:[\w\s=,-]+?|pragma:\s*no cover|fmt:\s*off)\s*(?:#|-|—|;)\s*\S+"
)


def comments(module: Module) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_every_suppression_has_a_code_and_a_reason() -> None:
    offenders = [
        f"{module.where}:{line}: {comment}"
        for module in (*library(), *python("tests", "examples", "benchmarks", "tools"))
        for line, comment in comments(module)
        if SUPPRESSION.search(comment) and not REASONED.search(comment)
    ]
    assert not offenders, listed(offenders)


@pytest.mark.parametrize(
    ("comment", "good"),
    [
        ("# noqa: S311 - jitter, no secret", True),
        ("# type: ignore[arg-type]  # the library's stub says str", True),
        ("# noqa", False),
        ("# noqa: S311", False),
        ("# type: ignore", False),
        ("# type: ignore[arg-type]", False),
    ],
)
def test_the_rule_knows_a_reason_when_it_sees_one(comment: str, good: bool) -> None:
    assert bool(REASONED.search(comment)) is good
