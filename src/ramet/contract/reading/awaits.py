"""Calls without their `await`: what nobody waits for never happens, and nothing says so."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from ramet.contract.declared import Declared, Needs
from ramet.contract.places import body_of, is_library, plain
from ramet.contract.problems import Problems


def check_awaits(declared: Declared, problems: Problems) -> None:
    """Report each statement that calls a contract, a database, the clock or an own method and drops what is to be done.

    A call whose result is kept may be awaited later, and is left alone.
    """
    seen: set[type] = set()
    for part in declared.parts():
        given = _given(part.needs)
        for cls in part.cls.__mro__:
            file, body = body_of(cls)
            if cls in seen or body is None or is_library(file):
                continue
            seen.add(cls)
            for call in _dropped(body):
                if _is_asynchronous(call, part.cls, given):
                    written = ast.unparse(call.func)
                    message = f"{cls.__name__} calls {written}(…) and does not wait for it, so nothing happens."
                    problems.add((file, call.lineno), message, f"Write `await {written}(…)`.")


def _given(needs: Needs) -> Mapping[str, type]:
    return {**needs.contracts, **needs.databases, **needs.clocks}


def _dropped(node: ast.AST, *, inside_async: bool = False) -> Iterator[ast.Call]:
    """The calls that stand alone, or are what an `async def` returns."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Expr(value=ast.Call() as call):
                yield call
            case ast.Return(value=ast.Call() as call) if inside_async:
                yield call
            case _:
                pass
        inside = isinstance(child, ast.AsyncFunctionDef) if isinstance(child, _FUNCTIONS) else inside_async
        yield from _dropped(child, inside_async=inside)


_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def _is_asynchronous(call: ast.Call, cls: type, given: Mapping[str, type]) -> bool:
    """Whether it is `self.method(…)` or `self.needed.method(…)`, and gives something to wait for."""
    called: Any = None
    match call.func:
        case ast.Attribute(value=ast.Name(id="self"), attr=method):
            called = getattr(cls, method, None)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=need), attr=method) if need in given:
            called = getattr(given[need], method, None)
        case _:
            pass
    return inspect.iscoroutinefunction(plain(called))
