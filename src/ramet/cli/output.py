"""What the command line shows: the only module that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def coloured(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that wants colours: https://no-color.org. None is one that is closed."""
    return (
        stream is not None and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """The text in a colour, where it is shown in one."""
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if coloured(stream or sys.stdout) else text


def say(text: str = "") -> None:
    """A line of the result."""
    print(text, flush=True)


def note(text: str) -> None:
    """A line beside the result: what happens, what could be done."""
    print(text, file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """An error: one sentence."""
    note(f"{paint('error:', 'red', sys.stderr)} {text}")


def document(value: Any) -> None:
    """Any value as JSON, indented, on standard output."""
    encoded = msgspec.json.encode(value, enc_hook=str)
    say(msgspec.json.format(encoded, indent=2).decode())


def line(value: Any) -> None:
    """Any value as one line of JSON: a moment of something that goes on."""
    say(msgspec.json.encode(value, enc_hook=str).decode())


def raw(text: str) -> None:
    """A document as it is, without a line of our own."""
    sys.stdout.write(text)
    sys.stdout.flush()


def counted(count: int, thing: str) -> str:
    """A number of things: "1 service", "2 services"."""
    return f"{count} {thing}" if count == 1 else f"{count:,} {thing}s"


def addresses(places: Sequence[tuple[str, str]]) -> None:
    """Names and the URLs where they are."""
    width = max((len(name) for name, _ in places), default=0)
    for name, url in places:
        say(f"  {name.ljust(width)}  {paint(url, 'cyan')}")


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their longest cell; numbers to the right. Nothing when there are no rows."""
    if not rows:
        return
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[at]) for row in [list(titles), *cells]) for at in range(len(titles))]
    right = [all(isinstance(row[at], int | float) or row[at] is None for row in rows) for at in range(len(titles))]
    say(paint(_joined(list(titles), widths, right), "dim"))
    for row in cells:
        say(_joined(row, widths, right))


def _joined(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if number else cell.ljust(width)
        for cell, width, number in zip(cells, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value).replace("\n", " ")


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say on a terminal what is going on, as long as it does; elsewhere nothing."""
    shown = sys.stderr.isatty()
    if shown:
        print(f"{what} …", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Say on a terminal how far long work is: called with the stage, how much of it is done, and of how much."""
    shown = sys.stderr.isatty()

    def tell(stage: str, done: int, total: int) -> None:
        if shown:
            share = f" {done:,} of {total:,}" if total > 1 else ""
            print(f"\r\x1b[KReading {stage}{share} …", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def note_line(value: Any) -> None:
    """Any value as one line of JSON, beside the result."""
    note(msgspec.json.encode(value, enc_hook=str).decode())


def problems(found: Sequence[str]) -> None:
    """Mistakes, one a line, and how many they are."""
    for problem in found:
        place, _, sentence = problem.partition(": ")
        note(f"{paint(place, 'bold', sys.stderr)}: {sentence}")
    note(paint(counted(len(found), "problem"), "red", sys.stderr))
