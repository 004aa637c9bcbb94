"""Folders that are their owner's alone, also below the temporary folder, where somebody else may have been first."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ramet.errors import ConfigurationError


def temporary() -> Path:
    """Where sockets are whose own folder has too long a path for a socket."""
    return Path(tempfile.gettempdir()) / f"ramet-{os.getuid()}"


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, where there is none; the temporary one is made so in any case.

    Raises: OSError; ConfigurationError when the temporary one is somebody else's.
    """
    if folder == temporary() or temporary() in folder.parents:
        _take(temporary())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _take(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigurationError(f"{folder} is not ours alone: remove it, or set TMPDIR.")
    folder.chmod(0o700)
