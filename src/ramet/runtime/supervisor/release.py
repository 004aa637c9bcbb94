"""Which release of an application lies in its folder: a fingerprint of its files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ramet.runtime.watching import SKIPPED

LENGTH = 10


def fingerprint(folder: Path) -> str:
    """The same for the same files: of Python, and ramet.toml."""
    found = hashlib.sha256()
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(files):
            if name.endswith((".py", "ramet.toml")):
                path = Path(root, name)
                found.update(f"{path.relative_to(folder)}\0".encode(errors="surrogateescape"))
                found.update(path.read_bytes())
    return found.hexdigest()[:LENGTH]
