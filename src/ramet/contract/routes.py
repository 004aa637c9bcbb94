"""Reads the operations of an `Api`: where each argument comes from, what the result becomes, and every mistake."""

from __future__ import annotations

import collections.abc
import enum
import functools
import inspect
import operator
import re
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ramet.contract.api import Api, ApiDeclaration, RouteDeclaration, api_declaration
from ramet.contract.exchange import (
    Answer,
    Body,
    Cookie,
    Form,
    Header,
    Limits,
    Message,
    Page,
    Query,
    Reply,
    Request,
    Upload,
)
from ramet.contract.problems import Problem, Problems
from ramet.contract.types import LEAVES, complaints, shown
from ramet.settings import seconds
from ramet.telemetry.context import Caller

Source = Literal["path", "query", "header", "cookie", "form", "upload", "body", "caller", "request", "page"]
Result = Literal["json", "none", "events", "answer"]

NAMED: dict[type, Source] = {Header: "header", Query: "query", Cookie: "cookie", Form: "form", Body: "body"}
DEFAULT_LIMITS = Limits()
PLACE = re.compile(r"\{(\w*)(:path)?\}")
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


@dataclass(slots=True)
class _Reading:
    """What is known while one operation is read."""

    api: ApiDeclaration
    declaration: RouteDeclaration
    problems: Problems
    hints: dict[str, Any] = field(default_factory=dict)

    def wrong(self, message: str, remedy: str = "", *, word: str | None = None) -> None:
        where = f"{self.api.cls.__name__}.{self.declaration.name}"
        self.problems.add(self.declaration.function, f"{where} {message}", remedy, word=word)


def resolve_routes(cls: type[Api]) -> tuple[tuple[Route, ...], tuple[Problem, ...]]:
    """The operations of an API with their types, and every mistake, in order of file and line."""
    api, problems = api_declaration(cls), Problems()
    _judge_class(api, problems)
    routes = [route for each in api.routes if (route := _read(_Reading(api, each, problems))) is not None]
    _judge_duplicates(api, routes, problems)
    return tuple(routes), tuple(problems)


def _judge_class(api: ApiDeclaration, problems: Problems) -> None:
    if api.prefix and not api.prefix.startswith("/"):
        problems.add(api.cls, f'{api.cls.__name__} has the prefix "{api.prefix}".', 'It begins with a slash: "/api".')
    if not inspect.iscoroutinefunction(api.cls.authenticate):
        problems.add(api.cls.authenticate, f"{api.cls.__name__}.authenticate is not async.", "Write `async def`.")
    if not api.routes:
        problems.add(
            api.cls, f"{api.cls.__name__} has no operation.", "Mark a method with @get, @post, @put, @patch or @delete."
        )


def _judge_duplicates(api: ApiDeclaration, routes: Sequence[Route], problems: Problems) -> None:
    seen: dict[tuple[str, str], Route] = {}
    for route in routes:
        first = seen.setdefault((route.method, PLACE.sub("{}", route.path)), route)
        if first is not route:
            message = f"{api.cls.__name__}.{route.name} answers {route.method} {route.path}, and so does {first.name}."
            problems.add(route.declaration.function, message, "Change the path or the method of one.")


def _read(reading: _Reading) -> Route | None:
    mark, function = reading.declaration.mark, reading.declaration.function
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        reading.wrong("is not async.", "Write `async def`.")
    try:
        reading.hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        name = getattr(error, "name", None)
        reading.wrong(
            f'has the unknown type "{name}".' if name else f"has an annotation that cannot be understood: {error}.",
            f"Import {name}, or mend the name." if name else "Write a type.",
            word=name,
        )
        return None
    places = _places(reading)
    parameters = tuple(_parameters(reading, places))
    _judge_together(reading, parameters)
    result, result_type = _result(reading)
    status = mark.status or (204 if result == "none" else 200)
    if not 200 <= status <= 299:
        reading.wrong(
            f"answers with status {status}.", "Use one of 200 to 299; say no by raising a Refusal with a status."
        )
    if status == 204 and result not in ("none", "answer"):
        reading.wrong("answers 204, which has no body, and returns a value.", "Return None, or choose another status.")
    return Route(
        declaration=reading.declaration,
        method=mark.method,
        path=reading.api.prefix + mark.path,
        status=status,
        parameters=parameters,
        result=result,
        result_type=result_type,
        deadline=_deadline(reading),
        max_body=_max_body(reading),
    )


def _places(reading: _Reading) -> tuple[str, ...]:
    path = reading.declaration.mark.path
    if not path.startswith("/") and (path or not reading.api.prefix):
        reading.wrong(f'has the path "{path}".', f'Begin it with a slash: "/{path}".')
    names = tuple(match.group(1) for match in PLACE.finditer(path))
    rest = PLACE.sub("", path)
    if "{" in rest or "}" in rest or "" in names:
        reading.wrong(
            f'has the path "{path}", whose braces do not match.', 'Write "{name}", or "{name:path}" for the rest.'
        )
    elif any(part.count("{") and not PLACE.fullmatch(part) for part in path.split("/")):
        reading.wrong(f'has the path "{path}".', "A parameter takes a whole segment, from slash to slash.")
    if ":path}" in path[: path.rfind("/{")]:
        reading.wrong(f'has the path "{path}".', 'Only the last segment can be "{name:path}".')
    for name in {name for name in names if names.count(name) > 1}:
        reading.wrong(f'has {{{name}}} twice in the path "{path}".', "Name each place differently.")
    return names


def _parameters(reading: _Reading, places: tuple[str, ...]) -> Iterator[Parameter]:
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


def _parameter(reading: _Reading, given: inspect.Parameter, fixed: Source | None) -> Parameter:
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


def _judge_type(reading: _Reading, name: str, hint: Any, source: Source) -> None:
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


def _judge_together(reading: _Reading, parameters: Sequence[Parameter]) -> None:
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


def _result(reading: _Reading) -> tuple[Result, Any]:
    if "return" not in reading.hints:
        reading.wrong("has no result type.", "Write `-> None`, or the type that it returns.")
        return "none", None
    hint = reading.hints["return"]
    if get_origin(hint) in (
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncGenerator,
    ):
        values = [part for part in _members(get_args(hint)[0]) if get_origin(part) is not Message]
        inner = _union(values)
        _judge_result(reading, inner)
        return "events", inner
    if hint is type(None):
        return "none", None
    parts = [part for part in _members(hint) if not _is_answer(part)]
    replies = [get_args(part)[0] for part in _members(hint) if get_origin(part) is Reply]
    inner = _union(parts + replies) if parts or replies else None
    if inner is not None:
        _judge_result(reading, inner)
    return ("json" if len(parts) == len(_members(hint)) else "answer"), inner


def _judge_result(reading: _Reading, hint: Any) -> None:
    if get_origin(hint) in (list, dict, set, Union, types.UnionType):  # nobody else holds what is encoded and forgotten
        for argument in get_args(hint):
            _judge_result(reading, argument)
        return
    for complaint in complaints(hint):
        reading.wrong(f"cannot return it: {complaint.message}", complaint.remedy)


def _deadline(reading: _Reading) -> float | None:
    given = reading.declaration.mark.deadline
    try:
        return None if given is None else seconds(given)
    except ValueError as error:
        reading.wrong(f"has a wrong deadline: {error}.")
        return None


def _max_body(reading: _Reading) -> int | None:
    given = reading.declaration.mark.max_body
    try:
        return None if given is None else size(given)
    except ValueError as error:
        reading.wrong(f"has a wrong max_body: {error}.")
        return None


def size(text: int | str) -> int:
    """A number of bytes: 1048576, "1MiB", "10MB"."""
    match = SIZE.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f'"{text}" is not a size: write 1048576, "1MiB" or "10MB"')
    return int(match.group(1)) * UNITS[match.group(2)]


def without_none(hint: Any) -> tuple[Any, bool]:
    """A type without its None, and whether it had one."""
    parts = _members(hint)
    if type(None) not in parts:
        return hint, False
    return _union([part for part in parts if part is not type(None)]), True


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


def _union(parts: Sequence[Any]) -> Any:
    return functools.reduce(operator.or_, parts)


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _is_answer(hint: Any) -> bool:
    kind = get_origin(hint) or hint
    return inspect.isclass(kind) and issubclass(kind, Answer)


def _is_collection(hint: Any) -> bool:
    return (get_origin(hint) or hint) in (tuple, frozenset, list, set, collections.abc.Sequence)


def _extras(hint: Any) -> tuple[Any, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()
