"""Every guarantee names the test that proves it, and the test is there."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.house.tree import ROOT, listed

PAGE = ROOT / "docs" / "explanation" / "guarantees.md"
PROOF = re.compile(r"`((?:tests|src)/[\w/]+\.py)(?:::(\w+))?`")
SECTION = re.compile(r"^### (\w+)$", re.MULTILINE)
UNTESTED = {"C4"}  # inside one process no call is lost on the way, so there is nothing to prove


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_named_tests_exist() -> None:
    named = PROOF.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or (name and name not in functions(path))
    ]
    assert not missing, listed(missing)


def test_every_cell_of_the_table_has_its_section_and_every_section_its_proof() -> None:
    text = PAGE.read_text(encoding="utf-8")
    cells = set(re.findall(r"\[(\w\d)\]\(#\w\d\)", text))
    parts = SECTION.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert cells == set(sections)
    assert not [name for name, section in sections.items() if name not in UNTESTED and not PROOF.search(section)]
