"""Pure: compiles an operation's parameters into one function from a request to its arguments.

The straight way converts each value once. Only when one of them does not fit, all are tried again one by one, so that
the answer names every wrong value and not only the first.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec
from msgspec import convert

from ramet.contract.operations import Parameter, Route
from ramet.contract.web.pages import Page
from ramet.errors import Unauthenticated
from ramet.http.operation.incoming import Incoming
from ramet.http.operation.validation import message_of, wrong_fields
from ramet.http.refusals import InvalidRequest, MalformedBody, Wrong

Take = Callable[[Incoming], Any]
MISFITS = (msgspec.ValidationError, ValueError, TypeError, LookupError, RecursionError)
MOST = 100
"""How many wrong fields of a body are named."""
PLACES = {"upload": "form"}


class Missing(LookupError):
    """A required value is not there."""


class Binder:
    """Takes the arguments of one operation out of a request."""

    def __init__(self, route: Route) -> None:
        self._takers = tuple((each.name, taker(each)) for each in route.parameters)
        self._parameters = {each.name: each for each in route.parameters}

    def __call__(self, incoming: Incoming) -> dict[str, Any]:
        """The arguments.

        Raises: InvalidRequest that names every wrong value; MalformedBody; Unauthenticated.
        """
        try:
            return {name: take(incoming) for name, take in self._takers}
        except MISFITS as error:
            raise self._explain(incoming, error) from None

    def _explain(self, incoming: Incoming, first: Exception) -> Exception:
        found: list[Wrong] = []
        for name, take in self._takers:
            parameter = self._parameters[name]
            try:
                take(incoming)
            except MISFITS as error:
                if parameter.source == "body" and incoming.body:
                    try:
                        found.extend(_wrong_in_body(incoming.body, parameter, error))
                    except (msgspec.DecodeError, UnicodeError, RecursionError) as malformed:
                        return MalformedBody(reason=str(malformed))
                else:
                    found.append(_wrong_value(parameter, error))
        return InvalidRequest(errors=tuple(found)) if found else first


def taker(parameter: Parameter) -> Take:
    """The function that takes one argument out of a request, or raises one of `MISFITS`."""
    match parameter.source:
        case "body":
            return _take_body(parameter)
        case "caller":
            return _take_caller if parameter.required else lambda incoming: incoming.caller
        case "request":
            return lambda incoming: incoming.request
        case "page":
            return _take_page(parameter)
        case "path":
            return _take_place(parameter)
        case "query" if not parameter.many:
            return _take_query(parameter)
        case _:
            return _take_many(parameter) if parameter.many else _take_one(parameter)


def _take_caller(incoming: Incoming) -> Any:
    if incoming.caller is None:
        raise Unauthenticated("This operation is for callers who say who they are.")
    return incoming.caller


def _take_body(parameter: Parameter) -> Take:
    decode = msgspec.json.Decoder(parameter.type).decode
    if parameter.required:

        def take(incoming: Incoming) -> Any:
            if not incoming.body:
                raise Missing("A JSON body is required, and missing")
            return decode(incoming.body)

        return take
    return lambda incoming: decode(incoming.body) if incoming.body else parameter.default


def _take_place(parameter: Parameter) -> Take:
    key, kind = parameter.key, parameter.type
    if kind is str:
        return lambda incoming: incoming.places[key]
    return lambda incoming: convert(incoming.places[key], kind, strict=False)


def _take_query(parameter: Parameter) -> Take:
    key, kind, required, default = parameter.key, parameter.type, parameter.required, parameter.default
    plain = kind is str

    def take(incoming: Incoming) -> Any:
        values = incoming.query.get(key)
        if values is not None:
            return values[-1] if plain else convert(values[-1], kind, strict=False)
        if required:
            raise Missing("It is required, and missing")
        return default

    return take


def _take_one(parameter: Parameter) -> Take:
    find, kind, required, default = _finder(parameter), parameter.type, parameter.required, parameter.default
    plain = kind is str or parameter.source == "upload"

    def take(incoming: Incoming) -> Any:
        text = find(incoming)
        if text is not None:
            return text if plain else convert(text, kind, strict=False)
        if required:
            raise Missing("It is required, and missing")
        return default

    return take


def _take_many(parameter: Parameter) -> Take:
    source, key, kind = parameter.source, parameter.key, parameter.type

    def take(incoming: Incoming) -> Any:
        values: list[Any]
        if source == "header":
            values = list(incoming.header_values(key.encode("latin-1")))
        else:
            values = list((incoming.query if source == "query" else incoming.form).get(key, ()))
        if values:
            return tuple(values) if source == "upload" else convert(values, kind, strict=False)
        if parameter.required:
            raise Missing("It is required, and missing")
        return parameter.default if parameter.default is not None else ()

    return take


def _finder(parameter: Parameter) -> Callable[[Incoming], Any]:
    key, name = parameter.key, parameter.key.encode("latin-1", "replace")
    match parameter.source:
        case "header":
            return lambda incoming: (
                value.decode("latin-1") if (value := incoming.headers.get(name)) is not None else None
            )
        case "cookie":
            return lambda incoming: incoming.cookies.get(key)
        case _:
            return lambda incoming: values[-1] if (values := incoming.form.get(key)) else None


def _take_page(parameter: Parameter) -> Take:
    limits = parameter.limits
    usual = min(limits.default, limits.maximum)

    def take(incoming: Incoming) -> Page:
        if not incoming.scope["query_string"]:
            return Page(limit=usual)
        cursors, given = incoming.query.get("cursor"), incoming.query.get("limit")
        limit = convert(given[-1], int, strict=False) if given else usual
        if not 1 <= limit <= limits.maximum:
            raise ValueError(f"Expected a number from 1 to {limits.maximum}")
        return Page(limit=limit, cursor=(cursors[-1] or None) if cursors else None)

    return take


def _from_json(value: Any, kind: Any) -> Any:
    return convert(value, kind, str_keys=True)


def _wrong_value(parameter: Parameter, error: Exception) -> Wrong:
    message = message_of(error)
    if parameter.source == "body":
        return Wrong(place="body", pointer="", message=message)
    if parameter.source == "page":
        return Wrong(place="query", name="limit", message=message)
    return Wrong(place=PLACES.get(parameter.source, parameter.source), name=parameter.key, message=message)


def _wrong_in_body(body: bytes, parameter: Parameter, error: Exception) -> list[Wrong]:
    fields = wrong_fields(msgspec.json.decode(body), parameter.type, _from_json)
    found = [Wrong(place="body", pointer=each.pointer, message=each.message) for each in islice(fields, MOST)]
    return found or [Wrong(place="body", pointer="", message=message_of(error))]
