"""Small: what a reader can hold in the head at once."""

from __future__ import annotations

import ast

from tests.house.tree import Module, library, listed, python

LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
MOST_PARAMETERS = 6


def functions(module: Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_modules_stay_below_400_lines() -> None:
    offenders = [
        f"{module.where}: {count} lines"
        for module in (*library(), *python("examples", "benchmarks", "tests", "tools"))
        if (count := len(module.text.splitlines())) >= LONGEST_MODULE
    ]
    assert not offenders, listed(offenders)


def test_functions_have_at_most_40_lines() -> None:
    offenders = [
        f"{module.where}:{function.lineno}: {function.name} has {count} lines"
        for module in (*library(), *python("examples", "benchmarks"))
        for function in functions(module)
        if (count := (function.end_lineno or function.lineno) - function.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not offenders, listed(offenders)


def test_functions_have_at_most_6_parameters() -> None:
    offenders = [
        f"{module.where}:{function.lineno}: {function.name} has {count} parameters"
        for module in library()
        if not module.name.startswith("ramet.cli.")  # a command's options are its parameters
        for function in functions(module)
        if (count := parameters(function)) > MOST_PARAMETERS
    ]
    assert not offenders, listed(offenders)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Those a caller writes: not self, not *args and **kwargs."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])
