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
    """What an unexpected error is, in a sentence that says where, and the lines that led to it."""
    part, what = own_part(error), f"{type(error).__name__}: {error}".rstrip(": ")
    if part is None:
        return f"{what} (a defect: --debug shows where).", ""
    lines = "".join(traceback.format_exception(type(error), error, part)).rstrip()
    return f"{what} ({innermost(traceback.extract_tb(part))}).", lines
