"""Pure: where imports begin, and which file a dotted name means to the file that says it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache

MARKERS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "manage.py", "Pipfile", "requirements.txt"})
SOURCE_FOLDERS = frozenset({"src", "lib", "python"})
STANDARD = frozenset(sys.stdlib_module_names)


def parent(path: str) -> str:
    """The folder of a path, "" for the root."""
    return path.rpartition("/")[0]


def ancestors(folder: str) -> list[str]:
    """The folder and everything above it, deepest first, down to ""."""
    found = [folder]
    while folder:
        folder = parent(folder)
        found.append(folder)
    return found


class Roots:
    """The folders on the path: `strong` ones by their marks, weak ones because a package ends there."""

    def __init__(self, python: Sequence[str], others: Iterable[str]) -> None:
        packages = {parent(path) for path in python if path.endswith("__init__.py")}
        folders = {parent(path) for path in python}
        marked = {parent(path) for path in (*others, *python) if path.rpartition("/")[2] in MARKERS}
        above = {one for folder in folders for one in ancestors(folder)}
        sources = {one for one in above if one.rpartition("/")[2] in SOURCE_FOLDERS and one not in packages}
        self.strong = {one for one in ({""} | marked | sources) if one in above and one not in packages}
        self.tops = {folder: self._top(folder, packages) for folder in folders}
        self.weak = set(self.tops.values()) - self.strong
        self._mains = {
            top: next((one for one in ancestors(top) if one in self.strong), "") for top in set(self.tops.values())
        }

    @staticmethod
    def _top(folder: str, packages: set[str]) -> str:
        while folder in packages and folder:
            folder = parent(folder)
        return folder

    def main(self, path: str) -> str:
        """The root that gives a file its name: the deepest strong one that is not inside its package."""
        return self._mains[self.tops[parent(path)]]

    def of(self, path: str) -> list[str]:
        """All roots under which a file has a name, deepest first."""
        known = self.strong | self.weak
        return [one for one in ancestors(self.tops[parent(path)]) if one in known]


def module_name(path: str, root: str) -> str:
    """ "a.b" of "root/a/b.py" and of "root/a/b/__init__.py"."""
    inside = path[len(root) + 1 :] if root else path
    stem = inside.removesuffix(".pyw").removesuffix(".py").removesuffix("/__init__")
    return "" if stem == "__init__" else stem.replace("/", ".")


class Index:
    """Which file a dotted name means."""

    def __init__(self, python: Sequence[str], others: Iterable[str]) -> None:
        self.roots = Roots(python, others)
        self.names: dict[str, str] = {}
        self._files: dict[str, list[tuple[str, str]]] = {}
        self._suffixes: dict[str, list[str]] = {}
        for path in python:
            self.names[path] = module_name(path, self.roots.main(path))
            for root in self.roots.of(path):
                if name := module_name(path, root):
                    self._files.setdefault(name, []).append((root, path))
        self._firsts = {name.partition(".")[0] for name in self._files}
        for path, name in self.names.items():
            parts = name.split(".")
            for at in range(1, len(parts)):
                self._suffixes.setdefault(".".join(parts[at:]), []).append(path)
        self.file = lru_cache(maxsize=200_000)(self._file)

    def _file(self, name: str, root: str) -> str:
        found = self._files.get(name)
        if not found:
            return ""
        standard = name.partition(".")[0] in STANDARD
        above = ancestors(root)
        best = ""
        rank = len(above) + 2
        for candidate, path in found:
            strong = candidate in self.roots.strong
            if standard and not strong:
                continue
            at = above.index(candidate) if candidate in above else len(above) + (0 if strong else 2)
            if at < rank:
                best, rank = path, at
        return best

    def longest(self, name: str, source: str) -> tuple[str, str]:
        """The file of the longest prefix that is a module, seen from `source`, and what remains; or ("", name)."""
        if name.partition(".")[0] not in self._firsts:
            return "", name
        root = self.roots.tops.get(parent(source), "")
        head, rest = name, ""
        while head:
            if path := self.file(head, root):
                return path, rest
            head, _, last = head.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
        return "", name

    def suffix(self, name: str, source: str) -> tuple[str, str]:
        """Like `longest`, for a name that may lack its beginning; only where one file alone can be meant."""
        path, rest = self.longest(name, source)
        head, left = name, ""
        while not path and "." in head:
            found = self._suffixes.get(head, [])
            if len(found) == 1:
                return found[0], left
            head, _, last = head.rpartition(".")
            left = f"{last}.{left}" if left else last
        return path, rest

    def relative(self, name: str, source: str) -> str:
        """ "a.b.c" for "..c" said in a/b/d.py."""
        stripped = name.lstrip(".")
        level = len(name) - len(stripped)
        folder = parent(source)
        for _ in range(level - 1):
            folder = parent(folder)
        root = self.roots.main(source)
        package = (folder[len(root) + 1 :] if root else folder).replace("/", ".")
        return ".".join(part for part in (package, stripped) if part)
