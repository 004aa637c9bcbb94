"""Pure: sets of modules that could be services: folders, folders of one name, clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ramet.advisor.boundaries.values import Origin

FEWEST_MODULES = 4
LARGEST_SHARE = 0.5
SAME = 0.8
"""Sets that overlap more (Jaccard) are one candidate."""
NESTED = 0.5
"""Sets that have more of the smaller in common are levels of one part."""
ROLES = frozenset(
    {
        *("tests", "test", "testing", "migrations", "management", "commands", "templatetags", "templates", "static"),
        *(
            "locale",
            "fixtures",
            "views",
            "models",
            "forms",
            "api",
            "admin",
            "serializers",
            "schemas",
            "utils",
            "helpers",
        ),
        *("common", "core", "base", "lib", "libs", "conf", "settings", "src", "apps", "app", "contrib", "modules"),
        *("scripts", "mutations", "tasks", "plugins", "v1", "v2", "v3", "types", "handlers", "backends", "docs"),
    }
)
"""Names of folders that say what kind of code is there, not what it is about."""
BESIDE = frozenset(
    {"example", "examples", "sample", "samples", "demo", "demos", "doc", "docs", "tutorial", "tutorials", "benchmarks"}
)
"""Folders of what shows or measures an application, and is none."""


class Proposal(NamedTuple):
    """A set of modules, what to call it, and where it comes from."""

    name: str
    origin: Origin
    folders: tuple[str, ...]
    modules: frozenset[str]


def proposals(code: Sequence[str], clusters: Iterable[Sequence[str]]) -> list[Proposal]:
    """Every set of a sensible size; folders first, so that of two equal sets the folder is kept."""
    below = _below(code)
    found = [Proposal(folder, Origin.FOLDER, (folder,), frozenset(paths)) for folder, paths in sorted(below.items())]
    found += _namesakes(below)
    everything = frozenset(code)
    for cluster in clusters:
        modules = frozenset(cluster) & everything
        if modules:
            found.append(Proposal(_name(modules, below), Origin.CLUSTER, home(modules), modules))
    sensible, seen = [], set()
    for one in found:
        sized = FEWEST_MODULES <= len(one.modules) <= LARGEST_SHARE * len(code)
        if sized and one.modules not in seen and not _is_beside(one.modules):
            seen.add(one.modules)
            sensible.append(one)
    return sensible


def home(modules: Iterable[str]) -> tuple[str, ...]:
    """The folders that the modules lie in, those with most first, at most three."""
    count: defaultdict[str, int] = defaultdict(int)
    for path in modules:
        count[path.rpartition("/")[0]] += 1
    return tuple(folder for folder, _ in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:3])


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sets are the same candidate."""
    return len(one & other) > SAME * len(one | other)


def overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether more than half of the smaller set is in the other, as a folder is in the one above it."""
    return len(one & other) > NESTED * min(len(one), len(other))


def _below(code: Iterable[str]) -> dict[str, list[str]]:
    """The modules below each folder, at any depth."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    for path in code:
        folder = path.rpartition("/")[0]
        while folder:
            below[folder].append(path)
            folder = folder.rpartition("/")[0]
    return below


def _namesakes(below: dict[str, list[str]]) -> list[Proposal]:
    """Folders of one name that is about something: `order` and `api/order` are often one part."""
    named: defaultdict[str, list[str]] = defaultdict(list)
    for folder in sorted(below):
        name = folder.rpartition("/")[2]
        if name not in ROLES:
            named[name].append(folder)
    return [
        Proposal(name, Origin.NAMESAKES, tuple(folders), frozenset(path for one in folders for path in below[one]))
        for name, folders in sorted(named.items())
        if len(folders) > 1
    ]


def _is_beside(modules: frozenset[str]) -> bool:
    return 2 * sum(not BESIDE.isdisjoint(path.split("/")[:-1]) for path in modules) > len(modules)


def _name(modules: frozenset[str], below: dict[str, list[str]]) -> str:
    """The folder that a cluster is nearest to."""
    folders = {folder for path in modules for folder in _above(path)}

    def distance(folder: str) -> tuple[float, str]:
        inside = len(modules.intersection(below[folder]))
        return (-2 * inside / (len(modules) + len(below[folder])), folder)

    return min((distance(folder) for folder in folders), default=(0.0, ""))[1] or min(modules)


def _above(path: str) -> Iterable[str]:
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
