"""The report as one HTML file: its style, script and data inside, so that it works from a disk and in ten years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec

from ramet.advisor.excerpts import Excerpt
from ramet.advisor.facts import Facts
from ramet.advisor.finding import Rule
from ramet.advisor.people import is_person
from ramet.advisor.phrases import counted
from ramet.advisor.report.advice import Advice, Matrix
from ramet.advisor.report.figures import evidence, figures, located, releases
from ramet.errors import MissingExtra

PAGE = files("ramet.advisor.report") / "page"
SHOWN_EDGES = 20_000


def html(advice: Advice, facts: Facts, rules: Iterable[Rule], excerpts: Iterable[Excerpt]) -> str:
    """The page. Raises: MissingExtra where Jinja2 is not installed."""
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtra("jinja2", "advisor", "The HTML report") from error

    def breaking(value: str) -> str:
        """A text that may be broken after each slash, and copied without anything more."""
        return Markup("<wbr>").join(part for part in str(value).replace("/", "/\0").split("\0"))

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["breaking"] = breaking
    data = msgspec.json.encode({"map": _map(advice, facts), "timeline": _timeline(facts)}).decode()
    return environment.from_string((PAGE / "page.html").read_text(encoding="utf-8")).render(
        report=advice,
        headline=advice.headline,
        matrix=_rows(advice.matrix),
        figures=figures,
        evidence=evidence,
        located=located,
        releases=releases,
        counted=counted,
        rules={rule.id: rule for rule in rules},
        excerpts={(one.path, one.line): one for one in excerpts},
        style=Markup((PAGE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        script=Markup((PAGE / "page.js").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        data=Markup(data.replace("<", "\\u003c")),  # noqa: S704 - nothing in it can end the script element
    )


def _map(advice: Advice, facts: Facts) -> dict[str, Any]:
    """Modules with their lines and best candidate, and dependencies as numbers of modules with weights."""
    part: dict[str, str] = {}
    for one in reversed(advice.candidates):
        part.update(dict.fromkeys(one.modules, one.name))
    modules = [one for one in facts.modules if one.role != "migrations"]
    number = {one.path: at for at, one in enumerate(modules)}
    weights: Counter[tuple[int, int]] = Counter()
    for edge in facts.edges:
        if edge.source in number and edge.target in number and edge.source != edge.target:
            weights[number[edge.source], number[edge.target]] += max(1, len(edge.lines))
    edges = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:SHOWN_EDGES]
    return {
        "modules": [{"path": one.path, "lines": one.lines, "part": part.get(one.path, "")} for one in modules],
        "edges": [(source, target, weight) for (source, target), weight in edges],
    }


def _timeline(facts: Facts) -> Mapping[str, Any]:
    """Commits and people by month, the months without any included; releases in their month."""
    commits: Counter[str] = Counter()
    people: dict[str, set[str]] = {}
    for one in facts.commits:
        month = _month(one.at)
        commits[month] += 1
        if is_person(one.author):
            people.setdefault(month, set()).add(one.author)
    names = list(_months(min(commits), max(commits))) if commits else []
    months = [(name, commits[name], len(people.get(name, ()))) for name in names]
    return {"months": months, "releases": [(name, _month(at)) for name, at in facts.tags[-200:]]}


def _month(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def _months(first: str, last: str) -> Iterable[str]:
    year, month = map(int, first.split("-"))
    while (name := f"{year:04}-{month:02}") <= last:
        yield name
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _rows(matrix: Matrix) -> list[dict[str, Any]]:
    cells = {(one.row, one.column): one for one in matrix.cells}
    most = max((one.weight for one in matrix.cells), default=1)
    rows = []
    for row in matrix.parts:
        shown: list[dict[str, Any]] = []
        for column in matrix.parts:
            cell = cells.get((row, column))
            weight = cell.weight if cell else 0
            title = f"{row} → {column}: {cell.made_of}" if cell else ""
            shown.append({"text": weight or "", "title": title, "heat": round(70 * (weight / most) ** 0.5)})
        rows.append({"name": row, "cells": shown})
    return rows
