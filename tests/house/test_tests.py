"""The tests keep rules of their own."""

from __future__ import annotations

import ast

from tests.house.tree import SOURCE, listed, python


def test_nobody_uses_unittest_mock() -> None:
    offenders = [
        f"{module.where}:{found.line}"
        for module in python("tests", "examples", "benchmarks", "src")
        for found in module.imports
        if found.name.startswith(("unittest.mock", "mock.", "pytest_mock"))
    ]
    assert not offenders, listed(offenders)


def test_nobody_sleeps() -> None:
    offenders = [
        f"{module.where}:{node.lineno}: {ast.unparse(node)}"
        for module in python("tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "anyio.sleep", "sleep"}
        and [ast.unparse(argument) for argument in node.args] != ["0"]
    ]
    assert not offenders, listed(offenders)


def test_unit_tests_mirror_the_library() -> None:
    offenders = [
        module.where
        for module in python("tests/unit")
        if module.path.name.startswith("test_") and not mirrors(module.name)
    ]
    assert not offenders, listed(offenders)


def mirrors(test: str) -> bool:
    """Whether tests/unit/<package>/test_<module>[_<aspect>].py has its src/ramet/<package>/<module>.py."""
    *folders, name = test.removeprefix("tests/unit/").removesuffix(".py").split("/")
    words = name.removeprefix("test_").split("_")
    folder = SOURCE.joinpath("ramet", *folders)
    prefixes = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    return folder.is_dir() and any((folder / f"{p}.py").exists() or (folder / p).is_dir() for p in prefixes)
