"""Pure: the JSON Schema of types, the same on every version of Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

_VALUES = frozenset({"default", "examples", "enum", "const"})


def schema_components(
    types: Iterable[Any],
    *,
    ref_template: str = "#/$defs/{name}",
    schema_hook: Callable[[type], dict[str, Any]] | None = None,
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """As msgspec's, with descriptions as `inspect.getdoc` gives docstrings: only from 3.13 on Python does so itself.

    Raises: TypeError where a type has no schema.
    """
    made, components = msgspec.json.schema_components(types, ref_template=ref_template, schema_hook=schema_hook)
    _clean([*made, components])
    return made, components


def _clean(part: Any) -> None:
    if isinstance(part, dict):
        for key, inner in part.items():
            if key == "description" and isinstance(inner, str):
                part[key] = inspect.cleandoc(inner)
            elif key not in _VALUES:
                _clean(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            _clean(inner)
