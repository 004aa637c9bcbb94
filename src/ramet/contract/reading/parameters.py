"""Reads the parameters of an operation: where each comes from, and what is wrong with it."""

from __future__ import annotations

import collections.abc
import enum
import functools
import inspect
import operator
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ramet.contract.api import ApiDeclaration, RouteDeclaration
from ramet.contract.operations import Parameter, Source
from ramet.contract.problems import Problems
from ramet.contract.reading.types import LEAVES, complaints, shown
from ramet.contract.web.markers import Body, Cookie, Form, Header, Limits, Query
from ramet.contract.web.pages import Page
from ramet.contract.web.request import Request, Upload
from ramet.telemetry.context import Caller

NAMED: dict[type, Source] = {Header: "header", Query: "query", Cookie: "cookie", Form: "form", Body: "body"}


@dataclass(slots=True)
class Reading:
    """What is known while one operation is read."""

    api: ApiDeclaration
    declaration: RouteDeclaration
    problems: Problems
    hints: dict[str, Any] = field(default_factory=dict)

    def wrong(self, message: str, remedy: str = "", *, word: str | None = None) -> None:
        """Report a mistake in it; `word` finds the line."""
        where = f"{self.api.cls.__name__}.{self.declaration.name}"
        self.problems.add(self.declaration.function, f"{where} {message}", remedy, word=word)


def read_parameters(reading: Reading, places: tuple[str, ...]) -> tuple[Parameter, ...]:
    """Every parameter after `self`, with the mistakes in them reported; `places` are the names in the path."""
    found = tuple(_parameters(reading, places))
    _judge_together(reading, found)
    return found


def _parameters(reading: Reading, places: tuple[str, ...]) -> Iterator[Parameter]:
    signature = inspect.signature(reading.declaration.function)
    for each in list(signature.parameters.values())[1:]:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD, each.POSITIONAL_ONLY):
            reading.wrong(
                f"takes {str(each).split(':')[0]}.", "Name every parameter: it says where the value comes from."
            )
        elif each.name not in reading.hints:
            reading.wrong(f"has no type for {each.name}.", f"Write `{each.name}: str`, for instance.", word=each.name)
        else:
            yield _parameter(reading, each, "path" if each.name in places else None)
    for name in places:
        if name and name not in signature.parameters:
            reading.wrong(
                f"has {{{name}}} in its path, and no such parameter.", f"Add `{name}: str`, or take it out of the path."
            )


def _parameter(reading: Reading, given: inspect.Parameter, fixed: Source | None) -> Parameter:
    hint, optional = without_none(reading.hints[given.name])
    marker = next((each for each in _extras(hint) if type(each) in NAMED), None)
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    source = fixed or (NAMED[type(marker)] if marker is not None else _source(bare))
    key = getattr(marker, "name", None) or getattr(marker, "alias", None)
    if key is None:
        key = given.name.replace("_", "-") if source == "header" else given.name
    _judge_type(reading, given.name, hint, source)
    return Parameter(
        name=given.name,
        source=source,
        key=key.lower() if source == "header" else key,
        type=hint,
        required=given.default is given.empty and not optional,
        default=None if given.default is given.empty else given.default,
        many=source in ("query", "header", "form", "upload") and _is_collection(bare),
        limits=next((each for each in _extras(hint) if isinstance(each, Limits)), Limits()),
    )


def _judge_type(reading: Reading, name: str, hint: Any, source: Source) -> None:
    if source in ("caller", "request", "page", "upload"):
        if source == "caller" and not reading.api.authenticates:
            reading.wrong(
                "asks for the Caller, and its API never says who that is: everybody would get 401.",
                "Override `authenticate`.",
            )
        return
    for complaint in complaints(hint):
        reading.wrong(f"cannot take {name}: {complaint.message}", complaint.remedy, word=name)
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    listed = source in ("query", "header", "form") and _is_collection(bare)
    inner = get_args(bare)[0] if listed and get_args(bare) else bare
    if source != "body" and not is_scalar(inner):
        reading.wrong(
            f"cannot take {name}, {shown(bare)}, from the {source}.",
            "Only a single value fits there: a str, int, date, enum, …",
            word=name,
        )


def _source(bare: Any) -> Source:
    if bare is Caller:
        return "caller"
    if bare is Request:
        return "request"
    if bare is Page:
        return "page"
    inner = get_args(bare)[0] if _is_collection(bare) and get_args(bare) else bare
    if inner is Upload:
        return "upload"
    return "query" if is_scalar(inner) else "body"


def _judge_together(reading: Reading, parameters: Sequence[Parameter]) -> None:
    bodies = [each.name for each in parameters if each.source == "body"]
    forms = [each.name for each in parameters if each.source in ("form", "upload")]
    if len(bodies) > 1:
        reading.wrong(
            f"takes {len(bodies)} bodies: {', '.join(bodies)}.",
            "Make one Struct of them, or mark what is not a body: Annotated[…, Query()].",
        )
    if bodies and forms:
        reading.wrong(f"takes a JSON body ({bodies[0]}) and a form ({forms[0]}).", "A request has one body: choose.")
    if (bodies or forms) and reading.declaration.method in ("GET", "DELETE"):
        where = f"{reading.declaration.method} has no body"
        reading.wrong(
            f"takes {(bodies + forms)[0]} as its body, and {where}.", "Use @post, or take single values from the query."
        )
    keys = [(each.source, each.key) for each in parameters]
    for source, key in {pair for pair in keys if keys.count(pair) > 1}:
        reading.wrong(f'takes the {source} "{key}" twice.', "Once is enough.")


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type without its None, and whether it had one."""
    parts = members(hint)
    if type(None) not in parts:
        return hint, False
    return union([part for part in parts if part is not type(None)]), True


def is_scalar(hint: Any) -> bool:
    """Whether a value of this type is written as one piece of text."""
    origin = get_origin(hint)
    if origin is Annotated:
        return is_scalar(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return all(is_scalar(part) for part in get_args(hint))
    if isinstance(hint, typing.NewType):
        return is_scalar(hint.__supertype__)
    return origin is Literal or hint in LEAVES or (inspect.isclass(hint) and issubclass(hint, enum.Enum))


def union(parts: Sequence[Any]) -> Any:
    """The union of types; that of none is None's."""
    return functools.reduce(operator.or_, parts) if parts else type(None)


def members(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of another type, itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _is_collection(hint: Any) -> bool:
    return (get_origin(hint) or hint) in (tuple, frozenset, list, set, collections.abc.Sequence)


def _extras(hint: Any) -> tuple[Any, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()
