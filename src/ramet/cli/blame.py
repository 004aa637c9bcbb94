"""Whose an unexpected error is: the application's, which is told from its own line on, or Ramet's."""

from __future__ import annotations

import traceback
from types import TracebackType

from ramet.contract.places import innermost, is_application


def own_part(error: BaseException) -> TracebackType | None:
    """The traceback from the first line of the application on; None where the error has none."""
    part = error.__traceback__
    while part is not None and not is_application(part.tb_frame.f_code.co_filename):
        part = part.tb_next
    return part


def told(error: BaseException) -> tuple[str, str]:
    """What an unexpected error is, in a sentence that says where, and the application's lines that led to it."""
    part, what = own_part(error), f"{type(error).__name__}: {error}".rstrip(": ")
    if part is None:
        return f"{what} (a defect: --debug shows where).", ""
    lines = traceback.TracebackException(type(error), error, part)
    _leave_out_libraries(lines)
    return f"{what} ({innermost(traceback.extract_tb(part))}).", "".join(lines.format()).rstrip()


def _leave_out_libraries(lines: traceback.TracebackException) -> None:
    """Their lines but the last, and what led to the error without any of the application's."""
    lines.stack[:] = [*(frame for frame in lines.stack[:-1] if is_application(frame.filename)), *lines.stack[-1:]]
    lines.__cause__, lines.__context__ = _of_application(lines.__cause__), _of_application(lines.__context__)


def _of_application(lines: traceback.TracebackException | None) -> traceback.TracebackException | None:
    if lines is None or not any(is_application(frame.filename) for frame in lines.stack):
        return None
    _leave_out_libraries(lines)
    return lines
