"""Pure: a candidate's figures in the words of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ramet.advisor.boundaries.values import Candidate
from ramet.advisor.facts import Place
from ramet.advisor.history.delivery import Delivery
from ramet.advisor.phrases import counted, verb

SHOWN = 5


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


def evidence(one: Candidate) -> list[str]:
    """Where the cut hurts: transactions torn, tables shared, the first places that cross it."""
    torn = [f"torn: {each.transaction}{located((each.place,))}" for each in one.torn[:SHOWN]]
    shared = [f"shared: {each.table}{located(each.places[:2])}" for each in one.shared[:SHOWN]]
    crossing = [f"crosses the cut{located((place,))}" for place in one.crossing[:SHOWN]]
    return [*torn, *shared, *crossing]


def located(places: Sequence[Place]) -> str:
    """The first places in brackets, with a space before; "" where there are none."""
    first = ", ".join(f"{one.path}:{one.line}" for one in places[:3])
    return f" ({first})" if first else ""


def releases(delivered: Delivery) -> str:
    """Which tags count as releases."""
    tags = counted(delivered.releases, "tag")
    return f"Releases are the tags {delivered.pattern}: {tags} in the last year of the history."
