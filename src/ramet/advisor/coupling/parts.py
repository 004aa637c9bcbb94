"""Pure: the parts that people see in a code base: its units, or in a monolith the folders where it first divides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ramet.advisor.facts import Facts
from ramet.advisor.units import Units

NO_PARTS = frozenset({"tests", "migrations"})
DOMINANT = 0.7
"""A folder that holds more of the code than this is looked into, instead of being a part."""
DEEPEST = 6
MOST = 40


def parts_of(facts: Facts) -> Mapping[str, str]:
    """The part of each module, by path; the smallest beyond the 40 largest are left out."""
    units = Units(facts)
    if units.several:
        return units.parts
    lines = {one.path: one.lines for one in facts.modules if one.role not in NO_PARTS}
    prefix = _where_it_divides(lines)
    found = {path: name for path in lines if (name := _below(prefix, path))}
    sizes: Counter[str] = Counter()
    for path, name in found.items():
        sizes[name] += lines[path]
    kept = {name for name, _ in sorted(sizes.items(), key=lambda one: (-one[1], one[0]))[:MOST]}
    return {path: name for path, name in found.items() if name in kept}


def _where_it_divides(lines: Mapping[str, int]) -> str:
    """The deepest folder with several below it that still holds most of the code, with a slash; "" for the root."""
    prefix = divided = ""
    for _ in range(DEEPEST):
        sizes: Counter[str] = Counter()
        for path, count in lines.items():
            if path.startswith(prefix) and "/" in path[len(prefix) :]:
                sizes[prefix + path[len(prefix) :].split("/")[0] + "/"] += count
        divided = prefix if len(sizes) > 1 else divided
        largest = max(sizes, key=lambda one: (sizes[one], one), default="")
        if not largest or sizes[largest] < DOMINANT * sum(lines.values()):
            break
        prefix = largest
    return divided


def _below(prefix: str, path: str) -> str:
    """The folder of a path right below a prefix; "" for files that lie in the prefix itself, or elsewhere."""
    rest = path.removeprefix(prefix)
    return prefix + rest.split("/")[0] if path.startswith(prefix) and "/" in rest else ""


def folders_of(facts: Facts) -> Mapping[str, list[str]]:
    """The folders of each part, by its name."""
    found: dict[str, list[str]] = {}
    units = Units(facts)
    if units.several:
        return {unit.name: [unit.folder] for unit in units.all}
    for name in sorted(set(parts_of(facts).values())):
        found[name.rpartition("/")[2] if name.rpartition("/")[2] not in found else name] = [name]
    return found
