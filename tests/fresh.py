"""Packages that several applications have: each test imports its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def fresh(*names: str) -> Iterator[None]:
    """Forget what was imported under these names, and from where; remember it again afterwards."""

    def loaded() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] in names]

    kept = {name: sys.modules.pop(name) for name in loaded()}
    places = [place for place in sys.path if any((Path(place) / name).is_dir() for name in names)]
    sys.path[:] = [place for place in sys.path if place not in places]
    try:
        yield
    finally:
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(kept)
        sys.path += [place for place in places if place not in sys.path]
