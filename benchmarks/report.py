"""Measure Ramet beside its peers, in one run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Row

RESULTS = Path(__file__).parent / "results"
PAGE = RESULTS.parent.parent / "docs" / "reference" / "benchmarks.md"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"
HEADINGS = ("measure", "median", "min … max", "peer", "its median", "ratio", "target")


def save(name: str, rows: Sequence[Row]) -> None:
    """Write the rows of one suite."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")


def saved() -> list[Row]:
    """The rows of the last runs, in the order of their files."""
    files = sorted(RESULTS.glob("*.json"))
    return [row for file in files for row in msgspec.json.decode(file.read_bytes(), type=list[Row])]


def as_json(rows: Sequence[Row]) -> str:
    """The rows as they are written."""
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode()


def as_table(rows: Sequence[Row]) -> str:
    """The rows to be read, and which targets they meet."""
    table = Table(*HEADINGS, title=rows[0].machine if rows else None, title_justify="left")
    for row in rows:
        table.add_row(*_cells(row))
    console = Console(width=None if sys.stdout.isatty() else 140)
    with console.capture() as capture:
        console.print(table)
    aimed = [row for row in rows if row.met is not None]
    missed = [row.measure for row in aimed if not row.met]
    verdict = f"{len(aimed) - len(missed)} of {len(aimed)} targets are met"
    return f"{capture.get()}{verdict}{'; missed: ' + ', '.join(missed) if missed else ''}."


def write_docs(rows: Sequence[Row]) -> None:
    """Put the rows into the page, between its two marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{_markdown(rows)}{END}{after}", encoding="utf-8")


def _markdown(rows: Sequence[Row]) -> str:
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    places = sorted({f"{row.date}, {row.machine}" for row in rows})
    return "\n".join([*lines, "", f"Measured: {'; '.join(places)}.", ""])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.measure,
        f"{_number(row.value)} {row.unit}",
        f"{_number(row.minimum)} … {_number(row.maximum)}",
        row.peer or "",
        _number(row.peer_value) if row.peer_value is not None else "",
        f"{row.ratio:.2f}×" if row.ratio is not None else "",
        f"{row.target}: {'met' if row.met else 'MISSED'}" if row.target else "",
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
