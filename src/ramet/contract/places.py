"""Where in the source a class, a function or a part of it is written."""

from __future__ import annotations

import ast
import functools
import linecache
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from traceback import FrameSummary
from types import CodeType, FunctionType
from typing import Any

Place = tuple[str, int]
"""A file and a line, which counts from 1."""

_STANDARD = sysconfig.get_paths()["stdlib"]
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def where(thing: Any, word: str | None = None) -> Place:
    """The line on which a class or function is written; with `word`, that of the name or `@decorator` inside it.

    Code without a source has the place that its functions tell, else the name of its module.
    """
    target = plain(thing)
    kind = target if isinstance(target, type | FunctionType) else type(target)
    file, code = _file(kind), _codes(kind)
    node = _find(_tree(file), kind, code)
    if node is None:
        return file, min((one.co_firstlineno for one in code), default=1)
    return file, _line_of(word, node) if word else node.lineno


def body_of(cls: type) -> tuple[str, ast.ClassDef | None]:
    """The file of a class, and the class as it is written there; None for code without a source."""
    file = _file(cls)
    node = _find(_tree(file), cls, _codes(cls))
    return file, node if isinstance(node, ast.ClassDef) else None


def plain(thing: Any) -> Any:
    """The function behind decorators, methods and descriptors; anything else as it is."""
    while True:
        inner = getattr(thing, "__func__", None) or getattr(thing, "__wrapped__", None) or getattr(thing, "func", None)
        inner = inner or (thing.fget if isinstance(thing, property) else None)
        if inner is None or inner is thing or isinstance(thing, type):
            return thing
        thing = inner


def shown(file: str) -> str:
    """A path as people read it: relative to the working directory where it lies below it."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def imported(file: str, module: str) -> str:
    """A path that is the same on every machine: relative to the folder that the module is imported from."""
    path = Path(file)
    depth = module.count(".") + (2 if path.stem == "__init__" else 1)
    return Path(*path.parts[-depth:]).as_posix()


def is_library(file: str) -> bool:
    """Whether a file belongs to Python, to Ramet or to something installed, and not to the application."""
    return is_ramet(file) or "site-packages" in file or file.startswith(("<frozen", _STANDARD))


def is_ramet(file: str) -> bool:
    """Whether a file is Ramet's, or is a method of a client, which is made where it is needed."""
    return file.startswith((__file__.rpartition("contract")[0], "<client of "))


def is_application(file: str) -> bool:
    """Whether a file of a traceback is the application's: one that is there, and no library's and not the command."""
    return not is_library(file) and file != sys.argv[0] and Path(file).is_file()


def innermost(frames: Iterable[FrameSummary]) -> str | None:
    """The line of the application that was reached last; None where these lead through none."""
    own = [one for one in frames if is_application(one.filename)]
    return f"{shown(own[-1].filename)}:{own[-1].lineno}, in {own[-1].name}" if own else None


def line_of(file: str, name: str) -> int:
    """The line of a module on which a name is given its value; 1 where that cannot be seen."""
    found = (node.lineno for node in _tree(file).body if _introduces(node) == name)
    return next(found, 1)


def _file(kind: type | FunctionType) -> str:
    if isinstance(kind, FunctionType):
        return kind.__code__.co_filename
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    codes = _codes(kind)
    return file or (codes[0].co_filename if codes else str(kind.__module__))


def _codes(kind: type | FunctionType) -> list[CodeType]:
    functions = [kind] if isinstance(kind, FunctionType) else [plain(value) for value in vars(kind).values()]
    here = [one.__code__ for one in functions if isinstance(one, FunctionType) and one.__module__ == kind.__module__]
    return (
        here
        if isinstance(kind, FunctionType)
        else [code for code in here if code.co_qualname.startswith(kind.__qualname__)]
    )


def _tree(file: str) -> ast.Module:
    linecache.checkcache(file)
    return _parsed("".join(linecache.getlines(file)))


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def _find(tree: ast.Module, kind: type | FunctionType, codes: list[CodeType]) -> Definition | ast.Lambda | None:
    starts = {code.co_firstlineno for code in codes}
    if isinstance(kind, FunctionType):
        nodes = (node for node in ast.walk(tree) if isinstance(node, Definition | ast.Lambda))
        return next((node for node in nodes if _first_line(node) in starts), None)
    path = kind.__qualname__.replace("<locals>.", "")
    found = [node for name, node in _named(tree) if name == path and isinstance(node, ast.ClassDef)]
    spanning = [node for node in found if any(node.lineno <= line <= (node.end_lineno or 0) for line in starts)]
    return next(reversed(spanning or found), None)


def _first_line(node: Definition | ast.Lambda) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _named(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield prefix + child.name, child
            yield from _named(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _named(child, prefix)


def _line_of(word: str, node: Definition | ast.Lambda) -> int:
    """The first line that says the word: a decorator, else what introduces a name, else what uses it."""
    found: Sequence[ast.AST]
    if word.startswith("@"):
        decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
        found = [one for one in decorators if ast.unparse(one).partition("(")[0].rpartition(".")[2] == word[1:]]
    else:
        inside = list(ast.walk(node))
        found = [one for one in inside if _introduces(one) == word] or [one for one in inside if _uses(one, word)]
    return min((getattr(one, "lineno", node.lineno) for one in found), default=node.lineno)


def _introduces(node: ast.AST) -> str | None:
    match node:
        case ast.arg(arg=name) | ast.keyword(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            return None


def _uses(node: ast.AST, word: str) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == word
        case ast.Constant(value=str(text)):
            return word in text
        case _:
            return False
