"""A replica does not outlive its supervisor, however that ends; and is its child, whoever has forked it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PARENT = "RAMET_SUPERVISOR_PID"
"""The environment variable that holds the process id of the supervisor."""
_PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: which signal the kernel sends when the parent ends."""
_PR_SET_CHILD_SUBREAPER = 36
"""From <linux/prctl.h>: descendants whose parent ends become this process's children, instead of those of init."""


def end_with_parent() -> bool:
    """Let the kernel kill this process when its supervisor ends; false where this is not Linux.

    Raises: SystemExit where the supervisor has ended already.
    """
    if not sys.platform.startswith("linux"):
        return False
    failed: int = ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):
        raise SystemExit(1)
    return failed == 0


@contextmanager
def adopting() -> Iterator[None]:
    """Descendants whose parent ends during the block become children of this process. Raises: OSError."""
    _adopt(1)
    try:
        yield
    finally:
        _adopt(0)


def _adopt(whether: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, whether, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "orphans cannot be adopted")
