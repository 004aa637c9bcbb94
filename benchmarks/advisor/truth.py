"""Pure: what is known to be true of public projects, and how it is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from ramet.advisor.facts import Facts

HERE = Path(__file__).parent
FEWEST_FILES = 5
UNLABELLED = frozenset(
    {
        *("core", "common", "commons", "util", "utils", "utilities", "base", "lib", "libs", "helpers", "settings"),
        *("conf", "config", "test", "tests", "testing", "testutils", "rtd_tests", "migrations", "management"),
        *("templatetags", "models", "locale", "static", "templates", "kit", "scripts"),
    }
)


class Applications(msgspec.Struct, frozen=True, kw_only=True):
    """A project whose folders below `roots` (the innermost first) are its applications."""

    name: str
    repository: str
    roots: tuple[str, ...]

    def labels(self, paths: Iterable[str]) -> dict[str, str]:
        """The application of each file; none for what is of no application, or of one of fewer than five files."""
        found = {path: label for path in paths if (label := self._label(path))}
        sizes = Counter(found.values())
        return {path: label for path, label in found.items() if sizes[label] >= FEWEST_FILES}

    def _label(self, path: str) -> str:
        root = next((one for one in self.roots if path.startswith(f"{one}/")), None)
        if root is None:
            return ""
        first, slash, _ = path[len(root) + 1 :].partition("/")
        return first if slash and first not in UNLABELLED else ""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Files that truly left a project after the commit `cut`."""

    name: str
    clone: str
    repository: str
    cut: str
    why: str
    left: tuple[str, ...]


def applications() -> Sequence[tuple[str, Applications]]:
    """Each with its set: of the first, by name without regard to case, every other one is for tuning.

    The rest of them, and the fresh ones, which were labelled before anything was computed of them, are for reporting.
    """
    first, fresh = (
        sorted(_read(name), key=lambda one: one.name.lower()) for name in ("applications.json", "fresh.json")
    )
    halves = (("held out" if number % 2 else "tuned", one) for number, one in enumerate(first))
    return [*halves, *(("fresh", one) for one in fresh)]


def _read(name: str) -> list[Applications]:
    return msgspec.json.decode((HERE / name).read_bytes(), type=list[Applications])


def splits() -> Sequence[Split]:
    """The real splits; nothing was tuned on them."""
    return msgspec.json.decode((HERE / "splits.json").read_bytes(), type=list[Split])


def removals() -> Sequence[Split]:
    """Parts that were removed from other projects: what the ranking was chosen on."""
    return msgspec.json.decode((HERE / "removals.json").read_bytes(), type=list[Split])


def hidden(facts: Facts) -> tuple[Facts, Mapping[str, str]]:
    """The facts with every folder's name gone: each file lies in a folder of its own. Also the true path of each.

    What a file is called stays, because it says what kind of code it is (views.py), and so do the dependencies.
    """
    names = {one.path: f"{number:05d}/{one.path.rpartition('/')[2]}" for number, one in enumerate(facts.modules)}
    blank = msgspec.structs.replace(
        facts,
        modules=tuple(msgspec.structs.replace(one, path=names[one.path], name="", doc="") for one in facts.modules),
        edges=tuple(
            msgspec.structs.replace(one, source=names[one.source], target=names[one.target]) for one in facts.edges
        ),
        commits=tuple(
            msgspec.structs.replace(one, files=tuple(names.get(path, path) for path in one.files))
            for one in facts.commits
        ),
        tables=(),
        accesses=(),
    )
    return blank, {blank: path for path, blank in names.items()}
