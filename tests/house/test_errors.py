"""Every error is drawn in the tree, has a stable code of its own, and a section that explains it."""

from __future__ import annotations

import re

from ramet import errors
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "reference" / "errors.md"
LEAF = re.compile(r"^(?P<bars>(?:│   |    )*)[├└]── (?P<name>\w+)", re.MULTILINE)
SECTION = re.compile(r"^## (?P<code>[\w-]+)\n\n`(?P<name>\w+)`", re.MULTILINE)


def classes() -> dict[str, type[errors.RametError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.RametError) and value.__module__ == errors.__name__
    }


def drawn() -> dict[str, str]:
    """The parent of each class in the docstring's drawing."""
    path = ["RametError"]
    parents = {}
    for leaf in LEAF.finditer(errors.__doc__ or ""):
        depth = len(leaf["bars"]) // 4 + 1
        path[depth:] = [leaf["name"]]
        parents[leaf["name"]] = path[depth - 1]
    return parents


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert drawn() == {
        name: error.__bases__[0].__name__ for name, error in classes().items() if error is not errors.RametError
    }


def test_every_code_is_used_once() -> None:
    codes = [error.code for error in classes().values()]
    assert sorted(codes) == sorted(set(codes))


def test_every_error_has_a_section_under_its_code() -> None:
    sections = {section["name"]: section["code"] for section in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}
    assert sections == {name: error.code for name, error in classes().items() if error is not errors.RametError}


def test_every_error_has_a_docstring() -> None:
    assert not [name for name, error in classes().items() if not error.__doc__]
