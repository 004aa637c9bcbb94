"""A replica does not outlive its supervisor, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = "RAMET_SUPERVISOR_PID"
"""The environment variable that holds the process id of the supervisor."""
_PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: which signal the kernel sends when the parent ends."""


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
