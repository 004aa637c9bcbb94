"""Generated models: any frozen value of the model's types, made from their annotations."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from ramet.model.application import Application

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z]{1,4})?|end|graph|click", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip  # a table


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type that the model uses."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*(any_of(argument) for argument in arguments))
    if origin is tuple:
        return st.lists(any_of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(max_size=5), any_of(arguments[1]), max_size=2)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return st.builds(hint, **{name: field(name, one) for name, one in get_type_hints(hint).items()})
    return {
        Any: JSON,
        str: st.text(max_size=8),
        int: st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        type(None): st.none(),
    }[hint]


def field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Names look like names; everything else is anything of its type."""
    return NAMES if name == "name" else any_of(hint)


APPLICATIONS = any_of(Application)
