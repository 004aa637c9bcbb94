"""Which types may cross a boundary, immutable and known to the codecs, and which of them have constraints."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.inspect import type_info

LEAVES: tuple[Any, ...] = (
    type(None), bool, int, float, str, bytes, decimal.Decimal, datetime.datetime, datetime.date, datetime.time,
    datetime.timedelta, uuid.UUID,
)  # fmt: skip  # one look is enough
MAPPINGS: tuple[Any, ...] = (collections.abc.Mapping, types.MappingProxyType)
COLLECTIONS: tuple[Any, ...] = (
    tuple,
    frozenset,
    collections.abc.Sequence,
    collections.abc.Collection,
    collections.abc.Set,
    *MAPPINGS,
)
INSTEAD = {
    list: "tuple[{0}, ...]",
    set: "frozenset[{0}]",
    dict: "collections.abc.Mapping[{0}]",
    bytearray: "bytes",
    collections.abc.MutableSequence: "tuple[{0}, ...]",
    collections.abc.MutableMapping: "collections.abc.Mapping[{0}]",
    collections.abc.MutableSet: "frozenset[{0}]",
}
"""What to write where a mutable type stands."""
WRAPPERS = (typing.Required, typing.NotRequired, typing.Final)


class Complaint(NamedTuple):
    """Why a type may not cross a boundary, and what to write instead; where it is inside a class, of which field."""

    message: str
    remedy: str
    cls: type | None = None
    field: str | None = None


def complaints(hint: Any) -> Iterator[Complaint]:
    """Everything that keeps values of a type from crossing a boundary; nothing when it may cross."""
    found = list(_judge(hint, frozenset()))
    yield from found or _undecodable(hint)


def shown(hint: Any) -> str:
    """A type as it was written: `tuple[Line, ...]`, `str | None`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is None or hint is type(None):
        return "None"
    if origin in (Union, types.UnionType):
        return " | ".join(map(shown, arguments))
    if origin is Annotated:
        return shown(arguments[0])
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None and arguments:
        return f"{shown(origin)}[{', '.join('...' if one is Ellipsis else shown(one) for one in arguments)}]"
    if isinstance(hint, str):
        return f'"{hint}"'
    if isinstance(hint, list | tuple):
        return f"[{', '.join(map(shown, hint))}]"
    name = getattr(hint, "__qualname__", None) or getattr(hint, "__name__", None) or repr(hint)
    return str(name).rpartition("<locals>.")[2]


def is_mapping(hint: Any) -> bool:
    """Whether a type maps keys to values."""
    return (get_origin(hint) or hint) in MAPPINGS


_CONSTRAINTS = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern", "tz")
_PART = ("type", "item_type", "key_type", "value_type")
_PARTS = ("types", "item_types", "fields")
"""What msgspec calls the parts of a type, and of a field."""


def is_constrained(hint: Any) -> bool:
    """Whether a type, or any type in it, has constraints: `Meta(ge=1)`, a length, a pattern.

    Decoding checks them, and making a value does not.
    """
    if hint is None or hint in LEAVES:
        return False
    whole = type_info(hint)  # kept meanwhile, so that an id is that of one part alone
    waiting: list[Any] = [whole]
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:  # a type that contains itself
            continue
        seen.add(id(part))
        if any(getattr(part, name, None) is not None for name in _CONSTRAINTS):
            return True
        waiting += [getattr(part, name) for name in _PART if hasattr(part, name)]
        for name in _PARTS:
            waiting += getattr(part, name, ())
    return False


def _judge(hint: Any, seen: frozenset[Any]) -> Iterator[Complaint]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated or origin in WRAPPERS:
        yield from _judge(arguments[0], seen)
    elif isinstance(hint, NewType):
        yield from _judge(hint.__supertype__, seen)
    elif origin in (Union, types.UnionType):
        yield from _judge_union(hint, arguments, seen)
    elif hint is Any or hint is object:
        yield Complaint(f"{shown(hint)} says nothing about the value.", "Name its type, for instance a Struct.")
    elif isinstance(origin or hint, type):
        yield from _judge_class(hint, origin or hint, arguments, seen)
    elif origin is Literal:
        yield from _undecodable(hint)
    elif isinstance(hint, TypeVar) and not seen:  # that of a generic Struct is judged as what it stands for
        yield Complaint(f"{shown(hint)} stands for any type.", "Name the type: each method of a contract has its own.")
    elif hint is not None and not isinstance(hint, TypeVar):
        yield Complaint(f"{shown(hint)} is no type.", "Name a type, for instance str or a Struct.")


def _judge_union(hint: Any, arguments: tuple[Any, ...], seen: frozenset[Any]) -> Iterator[Complaint]:
    found = [complaint for argument in arguments for complaint in _judge(argument, seen)]
    yield from found
    if not found and len(set(arguments) - {type(None)}) > 1:
        yield from _undecodable(hint)


def _judge_class(hint: Any, kind: type, arguments: tuple[Any, ...], seen: frozenset[Any]) -> Iterator[Complaint]:
    if kind in INSTEAD:
        inside = ", ".join(map(shown, arguments)) or "…"
        yield Complaint(
            f"{shown(hint)} is mutable, so caller and callee could change it under each other's hands.",
            f"Use {INSTEAD[kind].format(inside)}.",
        )
    elif kind in COLLECTIONS:
        yield from _judge_collection(hint, arguments, seen)
    elif kind not in LEAVES:
        for argument in arguments if _has_fields(kind) else ():
            yield from _judge(argument, seen)
        if kind not in seen:
            yield from _judge_own(kind, arguments, seen)


def _judge_collection(hint: Any, arguments: tuple[Any, ...], seen: frozenset[Any]) -> Iterator[Complaint]:
    if not arguments and hint != tuple[()]:
        inside = "str, int" if is_mapping(hint) else "str, ..." if hint is tuple else "str"
        yield Complaint(f"{shown(hint)} does not say what is in it.", f"Write {shown(hint)}[{inside}], for instance.")
    elif is_mapping(hint) and not _is_text(arguments[0]):
        yield Complaint(
            f"{shown(hint)} has keys that are not text, and JSON knows no others.",
            "Use str or an Enum of strings as its keys, or a tuple of Structs.",
        )
    for argument in arguments:
        if argument is not Ellipsis:
            yield from _judge(argument, seen)


def _judge_own(kind: type, arguments: tuple[Any, ...], seen: frozenset[Any]) -> Iterator[Complaint]:
    if issubclass(kind, enum.Flag):
        yield Complaint(f"{shown(kind)} is a Flag, whose combinations have no name.", "Use a frozenset of an Enum.")
    elif issubclass(kind, enum.Enum):
        yield from _undecodable(kind)
    elif typing.is_typeddict(kind):
        yield Complaint(f"{shown(kind)} is a TypedDict, which is mutable.", "Make it a Struct.")
    elif problem := _mutability(kind):
        yield problem
        yield from _judge_fields(kind, seen)
    elif parameters := (() if arguments else getattr(kind, "__parameters__", ())):
        inside = ", ".join("str" for _ in parameters)
        yield Complaint(f"{shown(kind)} does not say what is in it.", f"Write {shown(kind)}[{inside}], for instance.")
    elif _has_fields(kind):
        yield from _judge_fields(kind, seen)
    else:
        yield Complaint(
            f"{shown(kind)} cannot be sent: it is neither a plain value nor a Struct.",
            "Send a Struct with the fields that the other side needs.",
        )


def _has_fields(kind: type) -> bool:
    is_named_tuple = issubclass(kind, tuple) and hasattr(kind, "_fields")
    return issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind) or is_named_tuple


def _mutability(kind: type) -> Complaint | None:
    if issubclass(kind, msgspec.Struct) and not kind.__struct_config__.frozen:
        remedy = f"Declare it as `class {kind.__name__}(ramet.Struct)`."
        return Complaint(f"{shown(kind)} is a mutable struct.", remedy, kind)
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None and not parameters.frozen:
        remedy = "Add `frozen=True`, or make it a ramet.Struct."
        return Complaint(f"{shown(kind)} is a mutable dataclass.", remedy, kind)
    return None


def _judge_fields(kind: type, seen: frozenset[Any]) -> Iterator[Complaint]:
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except NameError as error:
        remedy = "Import it, or mend its name."
        if "<locals>" in kind.__qualname__:
            remedy = "Declare it at the top of a module: what is inside a function cannot be found by its name."
        yield Complaint(f'{shown(kind)} has a field of the unknown type "{error.name}".', remedy, kind, error.name)
    except Exception as error:  # noqa: BLE001 - evaluating a user's annotation may raise anything
        yield Complaint(
            f"{shown(kind)} has a field with an annotation that is no type: {error}.", "Write a type.", kind
        )
    else:
        for name, hint in hints.items():
            if get_origin(hint) is not ClassVar and hint is not ClassVar:
                for one in _judge(hint, seen | {kind}):
                    inside = Complaint(f"{shown(kind)}.{name}: {one.message}", one.remedy, kind, name)
                    yield one if one.cls is not None else inside


def _is_text(key: Any) -> bool:
    origin = get_origin(key)
    if origin is Annotated:
        return _is_text(get_args(key)[0])
    if isinstance(key, NewType):
        return _is_text(key.__supertype__)
    if origin is Literal:
        return all(isinstance(one, str) for one in get_args(key))
    if isinstance(key, type) and issubclass(key, enum.Enum):
        return all(isinstance(one.value, str) for one in key)
    return key is str


UNTOLD = "a receiver cannot tell its alternatives apart."
TAGGED = "Make each a tagged Struct, which says what it is: `class …(Struct, tag=True)`."
REASONS = (
    ("Struct types", UNTOLD, TAGGED),
    ("dict-like", UNTOLD, TAGGED),
    ("unions may not", UNTOLD, "Make a Struct with an optional field for each alternative."),
    ("Enum", "its members are neither all strings nor all whole numbers.", "Give them values of one kind."),
    ("Literal", "only None, booleans, whole numbers and strings can be sent.", "Use an Enum or another type."),
)
"""What the codec says, what we say, and the remedy."""


def _undecodable(hint: Any) -> Iterator[Complaint]:
    """What only the codec knows: unions whose alternatives it cannot tell apart, enumerations of odd values."""
    try:
        msgspec.msgpack.Decoder(hint)
        msgspec.json.Decoder(hint)
    except Exception as error:  # noqa: BLE001 - building a codec evaluates a user's classes
        reason = str(error).partition("\n")[0].rstrip(".")
        unknown = f"it cannot be decoded: {reason}.", "Send a Struct with the fields that the other side needs."
        message, remedy = next(((ours, mend) for theirs, ours, mend in REASONS if theirs in reason), unknown)
        yield Complaint(f"{shown(hint)}: {message}", remedy)
