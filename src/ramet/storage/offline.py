"""The SQL that migrations would execute on PostgreSQL, each statement with its line, without a database."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ramet.errors import ConfigurationError
from ramet.storage.hazards.judging import Statement
from ramet.storage.revisions import Revision

ASSURED = "# assured:"
"""A line of a migration that ends with this, and a reason, is somebody's word that nobody is harmed."""


def statements(folder: Path, wanted: Sequence[Revision]) -> tuple[Statement, ...]:
    """What these revisions, in their order, would execute; what somebody has vouched for is left out.

    Raises: ConfigurationError where a revision asks the database something, and cannot be read without one.
    """
    if not wanted:  # there may be no folder, either
        return ()
    found: list[Statement] = []
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "render_as_batch": True})
    recorder: Any = context.impl
    scripts = ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
    for revision in wanted:
        file = str(revision.file)

        def record(text: str, file: str = file) -> None:
            first, last = _lines(file)
            if text.strip() and not any(_is_assured(linecache.getline(file, line)) for line in range(first, last + 1)):
                found.append(Statement(text, file, first))

        recorder.static_output = record
        with Operations.context(context):
            try:
                scripts.get_revision(revision.id).module.upgrade()
            except Exception as error:
                raise ConfigurationError(
                    f"{file} cannot be read without a database ({type(error).__name__}: {error}): "
                    "let it only say what is to be done, and change rows with op.execute."
                ) from error
    return tuple(found)


def _lines(file: str) -> tuple[int, int]:
    """The first and the last line of the call in this file that is being executed, however deep we are below it."""
    frame = next((frame for frame in _frames() if frame.f_code.co_filename == file), None)
    if frame is None:
        return 1, 1
    _, last, _, _ = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
    return frame.f_lineno, max(frame.f_lineno, last or 0)


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - traceback.extract_stack reads every file on the way
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_assured(line: str) -> bool:
    return bool(line.partition(ASSURED)[2].strip())
