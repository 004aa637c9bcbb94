"""The source as the house rules see it: every module with its text and its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
SKIPPED = {".venv", ".git", "__pycache__", ".ramet", "node_modules", "build", "dist"}


@dataclass(frozen=True)
class Module:
    """One Python file. `name` is dotted for the library ("ramet.storage.base"), the path for everything else."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @property
    def is_pure(self) -> bool:
        return self.docstring.startswith("Pure:")

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree))


@dataclass(frozen=True)
class Import:
    """One imported module or name. `inside` is the function it stands in, or None at the top level."""

    name: str
    line: int
    inside: str | None


def _imports(node: ast.AST, inside: str | None = None) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                yield from (Import(alias.name, child.lineno, inside) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=0):
                yield from (Import(f"{module}.{alias.name}", child.lineno, inside) for alias in names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from _imports(child, name)
            case _:
                yield from _imports(child, inside)


@cache
def library() -> tuple[Module, ...]:
    """Every module of src/ramet, sorted by name."""
    return tuple(
        sorted(
            (Module(_dotted(path), path) for path in SOURCE.rglob("*.py") if not SKIPPED & set(path.parts)),
            key=lambda module: module.name,
        )
    )


@cache
def python(*folders: str) -> tuple[Module, ...]:
    """Every Python file below these folders of the repository."""
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(Module(str(path.relative_to(ROOT)), path) for path in paths if not SKIPPED & set(path.parts))


@cache
def pages() -> tuple[Path, ...]:
    """Every Markdown page: those of the root, and docs/."""
    return (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


def _dotted(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def listed(offenders: list[str]) -> str:
    """The message of a failed rule: one offender a line."""
    return "\n" + "\n".join(offenders)
