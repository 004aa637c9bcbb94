"""Pure: where a request goes: the addresses that names hold, and the clients that hold the beginning of one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from ramet.advisor.scan.names import Scopes, argument, dotted, keyword, text

CLIENTS = ("requests", "httpx", "aiohttp", "urllib3", "urllib.request", "niquests")
ROOTS = frozenset(name.partition(".")[0] for name in CLIENTS)
MAKERS = frozenset({"Client", "AsyncClient", "Session", "AsyncSession", "session", "ClientSession", "PoolManager"})
LOOK_UPS = frozenset({"getenv", "get", "environ", "config", "env", "str", "url"})
"""Calls that give the value of a setting, by their last name."""
SETTING = re.compile(r"[A-Za-z_]\w*")
GAP = re.compile(r"\{\d*\}|%s|%d")
LONGEST = 300


class Address(NamedTuple):
    """An address as far as it is known, its unknown parts in braces; `client`: of an object that makes requests."""

    text: str
    client: bool = False


class Addresses:
    """What the names of a file hold, innermost scope first; attributes of an instance by "self.name"."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._held: list[dict[str, Address | None]] = [{}]
        self.wanted = False
        """Whether the file makes requests at all: else nothing need be learnt."""

    def enter(self) -> None:
        """A function or class begins."""
        self._held.append({})

    def leave(self) -> None:
        """The innermost scope ends."""
        self._held.pop()

    def hide(self, name: str) -> None:
        """A parameter of this name begins: what was outside is not meant."""
        self._held[-1][name] = None

    def learn(self, name: str, value: ast.expr | None) -> None:
        """A name is given this value."""
        if self.wanted and value is not None:
            client = self.client(value)
            told = self.told(value) if client is None else ""
            self._held[-1][name] = client or (Address(told) if told and told != f"{{{name}}}" else None)

    def learn_attributes(self, node: ast.ClassDef) -> None:
        """What a class gives its instances, in its body and in its methods."""
        if self.wanted:
            for name, value in _attributes(node):
                if self._find(f"self.{name}") is None:
                    self.learn(f"self.{name}", value)

    def learn_own(self, name: str, value: ast.expr) -> None:
        """A method gives its instance an attribute that only the method's parameters explain."""
        known = self._find(name)
        if len(self._held) > 2 and not (known and known.client) and (client := self.client(value)):
            self._held[-2][name] = client

    def _find(self, name: str) -> Address | None:
        return next((scope[name] for scope in reversed(self._held) if name in scope), None)

    def client(self, node: ast.expr | None) -> Address | None:
        """The client that an expression is: made here, or held by a name."""
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call):
            made = self._scopes.resolve(node.func)
            if not (made.startswith(CLIENTS) and made.rpartition(".")[2] in MAKERS):
                return None
            first = node.args[0] if made.endswith("ClientSession") and node.args else None
            return Address(self.told(keyword(node, "base_url") or first), client=True)
        name = dotted(node)
        held = self._find(name) if name else None
        if held is not None:
            return held if held.client else None
        thing = self._scopes.thing(name) if name else None
        return Address("", client=True) if thing and thing.name.startswith(CLIENTS) else None

    def target(self, client: Address | None, node: ast.expr | None) -> str:
        """Where a request to this address goes, when a client makes it."""
        told = self.told(node)
        if client is None or not client.text or "://" in told or told.startswith("{"):
            return told
        return f"{client.text.rstrip('/')}/{told.lstrip('/')}"

    def told(self, node: ast.expr | None) -> str:
        """An address as it is written, with the names in it followed to what they hold."""
        return self._told(node)[:LONGEST]

    def _told(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.Constant):
            return text(node)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._told(part) for part in node.values)
        if isinstance(node, ast.FormattedValue):
            return self._told(node.value) or "{…}"
        if isinstance(node, ast.BinOp):
            return self._joined(node)
        if isinstance(node, ast.BoolOp | ast.IfExp):
            choices = node.values if isinstance(node, ast.BoolOp) else (node.body, node.orelse)
            return next(filter(None, map(self._told, choices)), "")
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Subscript):
            return _setting(node.slice)
        name = dotted(node)
        held = self._find(name) if name else None
        return held.text if held and not held.client else f"{{{name}}}" if name else ""

    def _joined(self, node: ast.BinOp) -> str:
        left = self._told(node.left)
        if isinstance(node.op, ast.Add):
            return left + self._told(node.right)
        if not isinstance(node.op, ast.Mod):
            return ""
        return self._filled(left, node.right.elts if isinstance(node.right, ast.Tuple) else [node.right])

    def _called(self, node: ast.Call) -> str:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return self._filled(self._told(node.func.value), node.args)
        last = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
        if last in LOOK_UPS and (found := _setting(argument(node, 0, "key"))):
            return found
        return self._told(node.args[0]) if node.args else ""

    def _filled(self, pattern: str, values: list[ast.expr]) -> str:
        parts = iter(values)

        def fill(_: re.Match[str]) -> str:
            value = next(parts, None)
            return (self._told(value) or "{…}") if value is not None else "{…}"

        return GAP.sub(fill, pattern)


def _setting(node: ast.expr | None) -> str:
    """The name of a setting that is looked up by a string."""
    name = text(node)
    return f"{{{name}}}" if SETTING.fullmatch(name) else ""


def _attributes(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for statement in node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                if isinstance(target, ast.Name) and statement.value is not None:
                    yield target.id, statement.value
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(statement):
                if isinstance(inner, ast.Assign | ast.AnnAssign) and inner.value is not None:
                    for target in inner.targets if isinstance(inner, ast.Assign) else [inner.target]:
                        if dotted(target).startswith("self.") and dotted(target).count(".") == 1:
                            yield dotted(target)[5:], inner.value
