"""Pure: what a name in one file means in the whole code base: followed through imports to where it is defined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ramet.advisor.facts import Kind
from ramet.advisor.scan.leaf import Leaf
from ramet.advisor.scan.roots import Index, parent

DEEPEST = 8  # re-exports that are followed


class Project:
    """All leaves by path, and the index of their names."""

    def __init__(self, leaves: Mapping[str, Leaf], others: Iterable[str]) -> None:
        self.leaves = leaves
        self.index = Index(list(leaves), others)
        self._defined = {path: frozenset(leaf.defined) for path, leaf in leaves.items()}
        self._modules: dict[tuple[str, str], tuple[str, str]] = {}
        self._bindings: dict[str, dict[str, str]] = {}
        self._stars: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str], tuple[str, str]] = {}

    def defines(self, path: str, name: str) -> bool:
        """Whether a module's top level defines this name."""
        return name in self._defined[path]

    def resolve(self, name: str, source: str) -> tuple[str, str]:
        """(file, rest) for a name as leaves write it: where it is defined, and its attributes; or ("", dotted name)."""
        if name[:1] == ":":
            return source, name[1:]
        path, rest = self.module(name, source)
        return self.definition(path, rest) if path and rest else (path, rest)

    def module(self, name: str, source: str) -> tuple[str, str]:
        """The module in which a name is looked up first, and what remains of the name."""
        key = name, parent(source)  # files of one folder mean the same
        if (found := self._modules.get(key)) is None:
            found = self._modules[key] = self._module(name, source)
        return found

    def _module(self, name: str, source: str) -> tuple[str, str]:
        if name[:1] == ".":
            return self.index.longest(self.index.relative(name, source), source)
        if name[:1] == "~":
            return self.index.suffix(name[1:], source)
        return self.index.longest(name, source)

    def definition(self, path: str, rest: str, depth: int = 0) -> tuple[str, str]:
        """Where `rest`, looked up in `path`, is really defined; stays where it is when that is not known."""
        first, _, more = rest.partition(".")
        if first in self._defined[path] or depth > DEEPEST:
            return path, rest
        found, name = self._bound(path, first, depth)
        if not found:
            return path, rest
        return found, ".".join(part for part in (name, more) if part)

    def _bound(self, path: str, name: str, depth: int) -> tuple[str, str]:
        key = (path, name)
        if key not in self._known:
            self._known[key] = ("", "")  # a circle of imports ends here
            self._known[key] = self._look(path, name, depth)
        return self._known[key]

    def _look(self, path: str, name: str, depth: int) -> tuple[str, str]:
        bindings = self._read(path)
        if name in bindings:
            found, rest = self.module(bindings[name], path)
            if found and found != path:
                return self.definition(found, rest, depth + 1) if rest else (found, rest)
            return "", ""
        for star in self._stars[path]:
            found, rest = self.module(star, path)
            if found and not rest and found != path:
                where, left = self.definition(found, name, depth + 1)
                if self.defines(where, left.partition(".")[0]):
                    return where, left
        return "", ""

    def _read(self, path: str) -> dict[str, str]:
        if path not in self._bindings:
            bindings: dict[str, str] = {}
            stars = []
            for one in self.leaves[path].imports:
                if one.kind is Kind.LAZY:
                    continue
                join = "" if one.module.endswith(".") else "."
                if not one.names:
                    first = one.module.partition(".")[0]
                    bindings.setdefault(first, first)
                for name, bound in one.names:
                    if name == "*":
                        stars.append(one.module)
                    else:
                        bindings[bound] = f"{one.module}{join}{name}" if name else one.module
            self._bindings[path], self._stars[path] = bindings, stars
        return self._bindings[path]
