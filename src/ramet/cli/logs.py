"""How the log looks on standard error: one line a record."""

from __future__ import annotations

import logging
import sys

from ramet.cli import output

COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


class LineFormatter(logging.Formatter):
    """Time, level, where it comes from, what happened."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class has named it
        """One line, with the level in its colour."""
        level = record.levelname.lower()
        if record.levelname in COLOURS:
            level = output.paint(level, COLOURS[record.levelname], sys.stderr)
        return f"{self.formatTime(record, '%H:%M:%S')} {level} {record.name}: {record.message}"


def configure() -> None:
    """What services say from INFO up; of everybody else, warnings and errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ramet.service").setLevel(logging.INFO)
