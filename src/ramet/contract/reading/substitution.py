"""Pure: whether values of one type can be given where another is expected; what cannot be said for certain, can."""

from __future__ import annotations

import inspect
import types
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

WIDENING: dict[type, tuple[type, ...]] = {float: (int,), complex: (int, float)}
"""Numbers that PEP 484 lets pass for wider ones."""


def is_unfit(given: Any, expected: Any) -> bool:
    """Whether a value of `given` is certainly no value of `expected`: `str` for `int`, `str | None` for `str`."""
    given, expected = _bare(given), _bare(expected)
    if Any in (given, expected) or expected is object:
        return False
    if get_origin(given) is Literal:
        return _is_literal_unfit(get_args(given), expected)
    if get_origin(expected) is Literal:
        return all(is_unfit(given, type(value)) for value in get_args(expected))
    if _is_union(given):
        return any(is_unfit(one, expected) for one in get_args(given))
    if _is_union(expected):
        return all(is_unfit(given, one) for one in get_args(expected))
    classes = get_origin(given) or given, get_origin(expected) or expected
    return _is_class_unfit(*classes) or _are_arguments_unfit(given, expected)


def _bare(hint: Any) -> Any:
    """Without what is only said beside it."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        else:
            return type(None) if hint is None else hint


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _is_literal_unfit(values: tuple[Any, ...], expected: Any) -> bool:
    if get_origin(expected) is Literal:
        return not set(values) <= set(get_args(expected))
    return any(is_unfit(type(value), expected) for value in values)


def _is_class_unfit(given: Any, expected: Any) -> bool:
    """What is no class, such as a TypeVar, fits; so does what an abstract class may stand for."""
    if not (isinstance(given, type) and isinstance(expected, type)) or inspect.isabstract(given):
        return False
    if (given.__module__, given.__qualname__) == (expected.__module__, expected.__qualname__):
        return False
    try:
        return not issubclass(given, (expected, *WIDENING.get(expected, ())))
    except TypeError:  # a protocol, a TypedDict
        return False


def _are_arguments_unfit(given: Any, expected: Any) -> bool:
    if get_origin(given) is not get_origin(expected):
        return False
    some, others = get_args(given), get_args(expected)
    return len(some) == len(others) and any(is_unfit(one, other) for one, other in zip(some, others, strict=True))
