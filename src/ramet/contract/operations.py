"""One operation of a public API as a value: where its arguments come from, what its result becomes, its limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from ramet.contract.api import RouteDeclaration
from ramet.contract.web.markers import Limits

Source = Literal["path", "query", "header", "cookie", "form", "upload", "body", "caller", "request", "page"]
Result = Literal["json", "none", "events", "answer"]

DEFAULT_LIMITS = Limits()
SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB|KiB|MiB|GiB)?")
UNITS = {None: 1, "B": 1, "KB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """Where one argument comes from: `key` is its name there, `type` what it becomes, without None.

    `many` says that every value of that name is taken, and `limits` bounds a page.
    """

    name: str
    source: Source
    key: str
    type: Any
    required: bool
    default: Any = None
    many: bool = False
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One operation, ready to be bound: `path` includes the prefix of its API, times are in seconds, sizes in bytes."""

    declaration: RouteDeclaration
    method: str
    path: str
    status: int
    parameters: tuple[Parameter, ...]
    result: Result
    result_type: Any
    deadline: float | None
    max_body: int | None

    @property
    def name(self) -> str:
        """The method of the class that serves it."""
        return self.declaration.name

    @property
    def body(self) -> Parameter | None:
        """The parameter that takes the JSON body."""
        return next((each for each in self.parameters if each.source == "body"), None)

    @property
    def form(self) -> bool:
        """Whether the body is a form."""
        return any(each.source in ("form", "upload") for each in self.parameters)


def size(text: int | str) -> int:
    """A number of bytes: 1048576, "1MiB", "10MB"."""
    match = SIZE.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f'"{text}" is not a size: write 1048576, "1MiB" or "10MB"')
    return int(match.group(1)) * UNITS[match.group(2)]
