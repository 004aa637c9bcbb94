"""Who imports what of another service: its contract is public, everything else is private to it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from ramet.contract.application import Application
from ramet.contract.declared import Declared
from ramet.contract.places import shown
from ramet.contract.problems import Problem


def crossings(declared: Declared, application: Application) -> tuple[Problem, ...]:
    """Every import of something private to another service.

    A service's package may be imported by others where its contract and its events are declared, and what these modules
    themselves take from the package. Services that share a package are not kept apart.
    """
    packages = sorted(part for part in application.services if isinstance(part, str) and _folder(part) is not None)
    public = {package: _public(package, declared) for package in packages}
    return tuple(problem for package in packages for problem in _of(package, packages, public))


def _of(package: str, packages: list[str], public: dict[str, frozenset[str]]) -> Iterator[Problem]:
    for file in _files(package):
        for module, line in _imports(file):
            other = _owner(module, packages)
            if other is None or other == package or other in public[other] or not public[other]:
                continue
            if module == other or any(_within(module, name) for name in public[other]):
                continue
            yield Problem(
                file=shown(str(file)),
                line=line,
                message=f"{package} imports {module}, which is private to {other}.",
                remedy=f"Import from {', '.join(sorted(public[other]))}, and call the service through its contract.",
            )


def _public(package: str, declared: Declared) -> frozenset[str]:
    """The modules of a package that others may import."""
    wanted = {contract.cls.__module__ for contract in declared.contracts}
    wanted |= {event.__module__ for contract in declared.contracts for event in contract.events}
    found = {module for module in wanted if _within(module, package)}
    for module in tuple(found):
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is not None:
            found |= {name for name, _ in _imports(Path(file)) if _within(name, package) and _is_module(name)}
    return frozenset(found)


def _files(package: str) -> list[Path]:
    folder = _folder(package)
    left_out = {"tests", "migrations"}
    return sorted(file for file in folder.rglob("*.py") if not left_out & set(file.parts)) if folder is not None else []


def _folder(package: str) -> Path | None:
    paths = getattr(sys.modules.get(package), "__path__", None)
    return Path(next(iter(paths))) if paths else None


def _imports(file: Path) -> Iterator[tuple[str, int]]:
    """Every module that is imported, also where it is for type checkers alone."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((name, node.lineno) for name in [name for name in names if _is_module(name)] or [node.module])


def _is_module(name: str) -> bool:
    return name in sys.modules


def _owner(module: str, packages: list[str]) -> str | None:
    """The innermost of the packages that a module is in."""
    owners = [package for package in packages if _within(module, package)]
    return max(owners, key=len) if owners else None


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
