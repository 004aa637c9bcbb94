"""What the class lines of contracts, services and APIs have in common: a name, a version, no `__init__`."""

from __future__ import annotations

import re
from typing import Any

from ramet.contract.problems import Problems

_PART = r"(?:0|[1-9]\d*)"
_EXTRA = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SEMVER = re.compile(rf"{_PART}\.{_PART}\.{_PART}(?:-{_EXTRA})?(?:\+{_EXTRA})?", re.ASCII)
"""Semantic versions (https://semver.org, version 2.0.0)."""


def check_version(cls: type, what: str, version: object, problems: Problems) -> None:
    """It is written MAJOR.MINOR.PATCH, perhaps with a pre-release and build after it."""
    if not (isinstance(version, str) and _SEMVER.fullmatch(version)):
        message = f'The {what} {cls.__name__} has the version "{version}", which is not a semantic version.'
        problems.add(cls, message, 'Write MAJOR.MINOR.PATCH, such as "1.0.0".', word="version")


def check_name(cls: type, what: str, name: object, problems: Problems, *, example: str) -> None:
    """It can stand in files, addresses and topics; None where the class is named for itself."""
    if not (name is None or _is_wire_name(name)):
        remedy = f'Write lower-case letters, digits and hyphens, such as "{example}".'
        problems.add(cls, f'The {what} {cls.__name__} has the name "{name}".', remedy, word="name")


def _is_wire_name(name: object) -> bool:
    """Whether a name can stand in files, addresses and topics."""
    return isinstance(name, str) and name.isascii() and name.replace("-", "a").isalnum() and name == name.lower()


def check_construction(cls: type[Any], problems: Problems) -> None:
    """It leaves its construction to the runtime."""
    if cls.__init__ is not object.__init__:
        message = f"{cls.__name__} has an __init__, but the runtime makes its instance."
        remedy = "Annotate what it needs, and prepare the rest in `async def startup(self)`."
        problems.add(cls, message, remedy, word="__init__")
