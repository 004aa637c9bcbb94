"""Pure: a candidate's figures in the words of a report."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.advisor.boundaries.values import Candidate
from ramet.advisor.phrases import counted, verb


def figures(one: Candidate) -> list[tuple[str, str]]:
    """Labels and values, the most telling first."""
    return list(_figures(one))


def _figures(one: Candidate) -> Iterator[tuple[str, str]]:
    yield "size", f"{counted(len(one.modules), 'module')}, {one.lines:,} lines"
    yield "cohesion", f"{one.score.cohesion:.0%}"
    yield "cut", f"{one.links_in} {verb(one.links_in, 'dependency', 'dependencies')} in, {one.links_out} out"
    yield "modules across", f"{one.fan_in} in, {one.fan_out} out"
    yield "tables", f"{len(one.tables)} of its own, {len(one.shared)} shared"
    yield "torn transactions", str(len(one.torn))
    if one.commits:
        yield "changes alone", f"{one.commits_alone} of {counted(one.commits, 'commit')}"
        yield "people", counted(one.authors, "author") + (f", {', '.join(one.owners[:3])}" if one.owners else "")
    for spot in one.hot_spots[:1]:
        yield "hottest spot", f"{spot.path} ({counted(spot.changes, 'change')})"
    for view in one.perspectives:
        if view.value is not None:
            yield f"score by {view.name}", f"{view.value:.0%}"
    yield "effort", f"{one.effort.least:.0f} to {one.effort.most:.0f} person-days"
