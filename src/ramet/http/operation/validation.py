"""Pure: names every wrong field of a body, where the decoder stops at the first."""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec

LISTS = (tuple, list, set, frozenset, collections.abc.Sequence, collections.abc.Set)
MAPS = (dict, collections.abc.Mapping)
LOCATION = re.compile(r" - at `[^`]*`$")
Convert = Callable[[Any, Any], Any]


class WrongField(NamedTuple):
    """A JSON pointer (RFC 6901), and what is wrong there."""

    pointer: str
    message: str


def message_of(error: Exception) -> str:
    """What a decoder says, without its own way of saying where."""
    return LOCATION.sub("", str(error))


def wrong_fields(value: Any, hint: Any, convert: Convert, pointer: str = "") -> Iterator[WrongField]:
    """Every place where `value` does not fit `hint`; `convert` judges a value, and raises where it does not fit."""
    try:
        convert(value, hint)
        return
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        found = list(_inside(value, hint, convert, pointer))
        yield from found or [WrongField(pointer, message_of(error))]


def _inside(value: Any, hint: Any, convert: Convert, pointer: str) -> Iterator[WrongField]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from _inside(value, arguments[0], convert, pointer)
    elif isinstance(hint, typing.NewType):
        yield from _inside(value, hint.__supertype__, convert, pointer)
    elif origin in (Union, types.UnionType):
        member = _member(value, arguments)
        if member is not None:
            yield from _inside(value, member, convert, pointer)
    elif isinstance(value, list) and (origin or hint) in LISTS and arguments:
        yield from _items(value, arguments, convert, pointer)
    elif isinstance(value, dict) and (origin or hint) in MAPS and len(arguments) == 2:
        for key, each in value.items():
            yield from wrong_fields(each, arguments[1], convert, _join(pointer, key))
    elif isinstance(value, dict) and (fields := _fields(hint)) is not None:
        yield from _members(value, hint, fields, convert, pointer)


def _items(value: list[Any], arguments: tuple[Any, ...], convert: Convert, pointer: str) -> Iterator[WrongField]:
    fixed = len(arguments) > 1 and arguments[1] is not Ellipsis
    if fixed and len(arguments) != len(value):
        return
    for index, each in enumerate(value):
        yield from wrong_fields(each, arguments[index if fixed else 0], convert, f"{pointer}/{index}")


def _members(
    value: dict[str, Any], hint: Any, fields: list[tuple[str, Any, bool]], convert: Convert, pointer: str
) -> Iterator[WrongField]:
    for name, kind, required in fields:
        if name in value:
            yield from wrong_fields(value[name], kind, convert, _join(pointer, name))
        elif required:
            yield WrongField(_join(pointer, name), "It is required, and missing")
    config = getattr(get_origin(hint) or hint, "__struct_config__", None)
    if config is not None and config.forbid_unknown_fields:
        known = {name for name, _, _ in fields} | {config.tag_field}
        for name in value:
            if name not in known:
                yield WrongField(_join(pointer, name), "It is not known here")


def _fields(hint: Any) -> list[tuple[str, Any, bool]] | None:
    """Name on the wire, type, whether it is required; None for what has no fields."""
    kind = get_origin(hint) or hint
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [(each.encode_name, each.type, each.required) for each in msgspec.structs.fields(hint)]
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        absent = dataclasses.MISSING
        return [
            (each.name, hints[each.name], each.default is absent and each.default_factory is absent)
            for each in dataclasses.fields(kind)
            if each.init
        ]
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind, include_extras=False)
        return [(name, each, name in kind.__required_keys__) for name, each in hints.items()]
    return None


def _member(value: Any, members: tuple[Any, ...]) -> Any | None:
    """The member of a union that the value was meant to be; None when that cannot be told."""
    if isinstance(value, dict):
        mappings = [each for each in members if _fields(each) is not None or (get_origin(each) or each) in MAPS]
        if len(mappings) == 1:
            return mappings[0]
        return next((each for each in mappings if _tagged(each, value)), None)
    if isinstance(value, list):
        return next((each for each in members if (get_origin(each) or each) in LISTS), None)
    return None


def _tagged(member: Any, value: dict[str, Any]) -> bool:
    config = getattr(get_origin(member) or member, "__struct_config__", None)
    return config is not None and config.tag is not None and value.get(config.tag_field) == config.tag


def _join(pointer: str, name: object) -> str:
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
