"""How the log looks on standard error: one line a record."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from traceback import StackSummary, TracebackException
from types import TracebackType

from ramet.cli import output
from ramet.contract.places import is_ours, is_own

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


class LineFormatter(logging.Formatter):
    """Time, level, where it comes from, what happened."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class has named it
        """One line, with the level in its colour."""
        level = record.levelname.lower()
        if record.levelname in COLOURS:
            level = output.paint(level, COLOURS[record.levelname], sys.stderr)
        return f"{self.formatTime(record, '%H:%M:%S')} {level} {record.name}: {record.message}"

    def formatException(self, ei: Raised) -> str:  # noqa: N802 - the base class has named it
        """The traceback, in which what is between the application's lines and the last is not Ramet's."""
        if os.environ.get("RAMET_TRACEBACKS") == "full" or ei[1] is None:
            return super().formatException(ei)
        told = TracebackException.from_exception(ei[1])
        count = sum(_shorten(one.stack) for one in _chain(told))
        hint = f"\n({count} lines of Ramet are left out: RAMET_TRACEBACKS=full shows them)" if count else ""
        return "".join(told.format()).rstrip() + hint


def _chain(told: TracebackException) -> Iterator[TracebackException]:
    """An exception, those that led to it, and those it is a group of."""
    yield told
    for one in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if one is not None:
            yield from _chain(one)


def _shorten(stack: StackSummary) -> int:
    """Leave out Ramet's frames of a stack that leads through the application, but for the last; how many these are."""
    if not any(is_own(frame.filename) for frame in stack):
        return 0
    before, last = len(stack), stack[-1:]
    stack[:] = [*(frame for frame in stack[:-1] if not is_ours(frame.filename)), *last]
    return before - len(stack)


def configure() -> None:
    """What services say from INFO up; of everybody else, warnings and errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ramet.service").setLevel(logging.INFO)
