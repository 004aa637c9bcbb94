"""Ctrl-C while the command is being loaded, and while it ends: one line and an exit code, as in between."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
LINE = "Interrupted."


def is_command() -> bool:
    """Whether this process was started as `ramet`, or as `python -m ramet`; else what Ctrl-C does is not ours."""
    name = os.path.basename(sys.argv[0]) if sys.argv else ""  # noqa: PTH119 - pathlib would have to be loaded first
    return name == "ramet" or (name == "-m" and "ramet" in sys.orig_argv)


def end_at_once() -> None:
    """From now on Ctrl-C ends the command; not where it is ignored, as in the background."""
    if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_again() -> None:
    """From now on it is a KeyboardInterrupt, as by default."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> None:
    os.write(2, f"{LINE}\n".encode())
    os._exit(INTERRUPTED)


end_at_once()  # as this module is imported, which is before anything else of the command
