"""How the log looks on standard error: one line a record, and few lines where the same happens again and again."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from copy import copy
from traceback import StackSummary, TracebackException
from types import TracebackType

from ramet.cli import output
from ramet.contract.places import is_application, is_ramet
from ramet.errors import described, is_foreseen
from ramet.telemetry.throttle import Throttle

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
CLIENTS = ("aio_pika", "aiormq", "nats", "pamqp")
"""Of a broker that is away each says so for every connection and attempt; what is to be said says Ramet's adapter."""
LEVELS = {"ramet.service": logging.INFO, **dict.fromkeys(CLIENTS, logging.CRITICAL)}
MOST_ALIKE = 10


class LineFormatter(logging.Formatter):
    """Time, level, where it comes from, what happened; that somebody else is away is said without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback of an error that nobody could expect."""
        error = _foreseen(record)
        if error is not None:
            record = copy(record)
            record.msg, record.args = f"{record.getMessage().rstrip('.')}: {described(error)}", ()
            record.exc_info = record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class has named it
        """One line, with the level in its colour."""
        level = record.levelname.lower()
        left_out = getattr(record, "left_out", 0)
        before = f" (after {left_out} more of this kind)" if left_out else ""
        if record.levelname in COLOURS:
            level = output.paint(level, COLOURS[record.levelname], sys.stderr)
        return f"{self.formatTime(record, '%H:%M:%S')} {level} {record.name}: {record.message}{before}"

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
    if not any(is_application(frame.filename) for frame in stack):
        return 0
    before, last = len(stack), stack[-1:]
    stack[:] = [*(frame for frame in stack[:-1] if not is_ramet(frame.filename)), *last]
    return before - len(stack)


class Floods(logging.Filter):
    """Of warnings that differ only in their details the first ten in ten seconds; the others are counted.

    An error that nobody could expect is always there: it may have an id that somebody looks for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._throttle = Throttle(MOST_ALIKE)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is shown; `left_out` of the record is how many before it were not, where there were any."""
        if not record.name.startswith("ramet.") or (record.levelno != logging.WARNING and _foreseen(record) is None):
            return True
        left_out = self._throttle.left_out(record.created, (record.name, str(record.msg)))
        if left_out:
            record.left_out = left_out
        return left_out is not None


def _foreseen(record: logging.LogRecord) -> BaseException | None:
    error = record.exc_info[1] if record.exc_info else None
    return error if error is not None and is_foreseen(error) else None


def configure() -> None:
    """What services say from INFO up; of everybody else, warnings and errors. With RAMET_LOG=debug, everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    handler.addFilter(Floods())
    everything = os.environ.get("RAMET_LOG") == "debug"
    logging.basicConfig(level=logging.DEBUG if everything else logging.WARNING, handlers=[handler], force=True)
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(logging.NOTSET if everything else level)
