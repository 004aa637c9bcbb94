"""Annotations: the types they name, seen from where they are written."""

from __future__ import annotations

import sys
import typing
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from ramet.contract.places import is_library, plain, where
from ramet.contract.problems import Problems
from ramet.contract.reading.types import complaints

UNRESOLVED = object()


def resolve(annotation: Any, cls: type, problems: Problems, at: object, what: str) -> Any:
    """The type an annotation names, seen from inside a class; `UNRESOLVED` after reporting that there is none."""
    holder = type("annotation", (), {"__annotations__": {"it": annotation}})
    scope = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    try:
        return typing.get_type_hints(holder, {**namespace(cls)}, scope, include_extras=True)["it"]
    except NameError as error:
        name = error.name or str(error)
        remedy = f"Import {name}, or mend the name."
        if "<locals>" in cls.__qualname__:
            remedy = f"Declare {name} at the top of a module: what is inside a function cannot be found by its name."
        problems.add(at, f'{what} has the unknown type "{name}".', remedy, word=name)
    except Exception as error:  # noqa: BLE001 - evaluating a user's annotation may raise anything
        reason = str(error).partition("\n")[0].rstrip(".")
        problems.add(at, f"{what} has an annotation that is no type: {reason}.", "Write a type.")
    return UNRESOLVED


def check_type(hint: Any, at: object, what: str, problems: Problems, *, word: str | None = None) -> bool:
    """Report everything that keeps a type from crossing a boundary; True when nothing does.

    What is wrong inside a class of the application is reported there, once for all its uses.
    """
    found = tuple(complaints(hint))
    for message, remedy, cls, field in found:
        if cls is None or is_library(where(cls)[0]):
            problems.add(at, f"{what}: {message}", remedy, word=word)
        else:
            problems.add(cls, message, remedy, word=field)
    return not found


def namespace(cls: type) -> Mapping[str, Any]:
    """What the module of a class holds, also where it was executed without being imported."""
    module = sys.modules.get(cls.__module__)
    if module is not None:
        return vars(module)
    functions = (plain(value) for value in vars(cls).values())
    return next((one.__globals__ for one in functions if isinstance(one, FunctionType)), {})
