"""Pure: semantic versions (https://semver.org, version 2.0.0)."""

from __future__ import annotations

import re

_PART = r"(?:0|[1-9]\d*)"
_EXTRA = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SEMVER = re.compile(rf"{_PART}\.{_PART}\.{_PART}(?:-{_EXTRA})?(?:\+{_EXTRA})?", re.ASCII)


def is_semantic(version: object) -> bool:
    """Whether it is written MAJOR.MINOR.PATCH, perhaps with a pre-release and build after it."""
    return isinstance(version, str) and _SEMVER.fullmatch(version) is not None
