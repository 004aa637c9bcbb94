"""Reads the operations of an `Api`: what each takes and gives, and every mistake in them."""

from __future__ import annotations

import collections.abc
import inspect
import re
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin

from ramet.contract.api import Api, ApiDeclaration, api_declaration
from ramet.contract.operations import Result, Route, size
from ramet.contract.problems import Problem, Problems
from ramet.contract.reading.parameters import Reading, members, read_parameters, union
from ramet.contract.reading.types import complaints
from ramet.contract.web.responses import Message, Reply, Response
from ramet.settings import seconds

T = TypeVar("T")
PLACE = re.compile(r"\{(\w*)(:path)?\}")


def resolve_routes(cls: type[Api]) -> tuple[tuple[Route, ...], tuple[Problem, ...]]:
    """The operations of an API with their types, and every mistake, in order of file and line."""
    api, problems = api_declaration(cls), Problems()
    _judge_class(api, problems)
    routes = [route for each in api.routes if (route := _read(Reading(api, each, problems))) is not None]
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


def _read(reading: Reading) -> Route | None:
    mark, function = reading.declaration.mark, reading.declaration.function
    if not isinstance(mark.path, str):
        reading.wrong(f"has the path {mark.path!r}.", 'Write text that begins with a slash: "/orders".')
        return None
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        reading.wrong("is not async.", "Write `async def`.")
    try:
        reading.hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # noqa: BLE001 - evaluating a user's annotation may raise anything
        name = getattr(error, "name", None)
        reading.wrong(
            f'has the unknown type "{name}".' if name else f"has an annotation that cannot be understood: {error}.",
            f"Import {name}, or mend the name." if name else "Write a type.",
            word=name,
        )
        return None
    places = _places(reading)
    parameters = read_parameters(reading, places)
    result, result_type = _result(reading)
    status = mark.status or (204 if result == "none" else 200)
    if not (isinstance(status, int) and 200 <= status <= 299):
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
        deadline=_amount(reading, "deadline", seconds),
        max_body=_amount(reading, "max_body", size),
    )


def _places(reading: Reading) -> tuple[str, ...]:
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


def _result(reading: Reading) -> tuple[Result, Any]:
    if "return" not in reading.hints:
        reading.wrong("has no result type.", "Write `-> None`, or the type that it returns.")
        return "none", None
    hint = reading.hints["return"]
    if get_origin(hint) in (
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncGenerator,
    ):
        values = [part for part in members(get_args(hint)[0]) if get_origin(part) is not Message]
        inner = union(values)
        _judge_result(reading, inner)
        return "events", inner
    if hint is type(None):
        return "none", None
    parts = [part for part in members(hint) if not _is_answer(part)]
    replies = [get_args(part)[0] for part in members(hint) if get_origin(part) is Reply]
    inner = union(parts + replies) if parts or replies else None
    if inner is not None:
        _judge_result(reading, inner)
    return ("json" if len(parts) == len(members(hint)) else "answer"), inner


def _judge_result(reading: Reading, hint: Any) -> None:
    if get_origin(hint) in (list, dict, set, Union, types.UnionType):  # nobody else holds what is encoded and forgotten
        for argument in get_args(hint):
            _judge_result(reading, argument)
        return
    for complaint in complaints(hint):
        reading.wrong(f"cannot return it: {complaint.message}", complaint.remedy)


def _amount(reading: Reading, option: str, read: Callable[[Any], T]) -> T | None:
    given = getattr(reading.declaration.mark, option)
    try:
        return None if given is None else read(given)
    except ValueError as error:
        reading.wrong(f"has a wrong {option}: {error}.")
        return None


def _is_answer(hint: Any) -> bool:
    kind = get_origin(hint) or hint
    return inspect.isclass(kind) and issubclass(kind, Response)
