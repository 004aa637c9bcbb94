"""Pure: names in a syntax tree: the chain of a call, dotted names, what a name is bound to in each scope."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Thing(NamedTuple):
    """What a variable holds: one of a class, or `many` of it; `query` if those are still in the database."""

    name: str
    many: bool = False
    query: bool = False


def dotted(node: ast.expr | None) -> str:
    """ "a.b.c" of nested attributes, or "" for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    names.append(node.id)
    return ".".join(reversed(names))


class Chain(NamedTuple):
    """`root.first(...).second[...]`: the name it begins with, what follows, how much of it is before the first call."""

    root: str
    names: tuple[str, ...]
    plain: int
    calls: tuple[ast.Call, ...]


def chain(node: ast.expr) -> Chain | None:
    """The chain that ends with this call, or None if it begins with something that has no name."""
    names: list[str] = []
    calls: list[ast.Call] = []
    plain = 0
    current: ast.expr = node
    while True:
        if isinstance(current, ast.Attribute):
            names.append(current.attr)
            plain += 1
            current = current.value
        elif isinstance(current, ast.Call):
            calls.append(current)
            plain = 0
            current = current.func
        elif isinstance(current, ast.Subscript | ast.Await):
            plain = 0
            current = current.value
        elif isinstance(current, ast.Name):
            return Chain(current.id, tuple(reversed(names)), plain, tuple(calls))
        else:
            return None


class Scopes:
    """What names are bound to, innermost scope first: definitions by dotted name, variables by what they hold."""

    def __init__(self, defined: dict[str, str]) -> None:
        self._names: list[dict[str, str]] = [defined]
        self._things: list[dict[str, Thing]] = [{}]

    def enter(self) -> None:
        """A function or class begins."""
        self._names.append({})
        self._things.append({})

    def leave(self) -> None:
        """The innermost scope ends."""
        self._names.pop()
        self._things.pop()

    def bind(self, name: str, target: str) -> None:
        """A name now means this."""
        self._names[-1][name] = target

    def hold(self, name: str, thing: Thing) -> None:
        """A variable now holds this."""
        self._things[-1][name] = thing

    def meaning(self, name: str) -> str:
        """What a name stands for, dotted, or ""."""
        for scope in reversed(self._names):
            if name in scope:
                return scope[name]
        return ""

    def thing(self, name: str) -> Thing | None:
        """What a variable holds, if that is known."""
        for scope in reversed(self._things):
            if name in scope:
                return scope[name]
        return None

    def resolve(self, node: ast.expr | None) -> str:
        """The dotted meaning of an expression that is a name or an attribute of one, or ""."""
        name = dotted(node)
        if not name:
            return ""
        root, _, rest = name.partition(".")
        meaning = self.meaning(root)
        return f"{meaning}.{rest}" if meaning and rest else meaning


def text(node: ast.expr | None) -> str:
    """The literal string, or ""."""
    return whole(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def whole(value: str) -> str:
    """A string without half characters (lone surrogates), which no file could store."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def template(node: ast.expr | None) -> str:
    """A string with its unknown parts in braces: f"{settings.URL}/x" becomes "{settings.URL}/x"."""
    if isinstance(node, ast.Constant):
        return text(node)
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) for part in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return template(node.func.value)
    if isinstance(node, ast.FormattedValue):
        return f"{{{dotted(node.value) or '…'}}}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return template(node.left) + (template(node.right) if isinstance(node.op, ast.Add) else "")
    if isinstance(node, ast.Call):
        return template(node.args[0]) if node.args else ""
    name = dotted(node)
    return f"{{{name}}}" if name else ""


def keyword(node: ast.Call, name: str) -> ast.expr | None:
    """The argument given by this keyword."""
    return next((one.value for one in node.keywords if one.arg == name), None)


def argument(node: ast.Call, position: int, name: str) -> ast.expr | None:
    """The argument given by position or keyword."""
    return node.args[position] if len(node.args) > position else keyword(node, name)


def definitions(tree: ast.Module) -> set[str]:
    """The names that a module's top level defines, also below `if` and `try`."""
    names: set[str] = set()
    ahead = list(tree.body)
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(one.id for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.If | ast.Try):
            ahead += [*node.body, *node.orelse]
            ahead += [one for handler in getattr(node, "handlers", ()) for one in handler.body]
    return names
