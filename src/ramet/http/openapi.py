"""Pure: an API's operations as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ramet.contract.api import ApiDeclaration
from ramet.contract.operations import Parameter, Route
from ramet.contract.reading.refusals import refusal_facts
from ramet.contract.schemas import schema_components
from ramet.errors import Refusal
from ramet.http.problems import RESERVED, code_of, title_of

Json = dict[str, Any]
PLAIN = ("path", "query", "header", "cookie")
REFERENCE = "#/components/schemas/{name}"

DECIMAL = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$"

PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "id": {"type": "string", "description": "Finds an unexpected error in the log."},
    },
}
INVALID: Json = {
    "allOf": [{"$ref": REFERENCE.format(name="Problem")}],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "message"],
                "properties": {
                    "in": {"type": "string", "enum": ["path", "query", "header", "cookie", "form", "body"]},
                    "name": {"type": "string"},
                    "pointer": {"type": "string", "format": "json-pointer"},
                    "message": {"type": "string"},
                },
            },
        }
    },
}


def openapi(api: ApiDeclaration, routes: Sequence[Route]) -> Json:
    """The document; every operation that is not hidden, in the order in which they were declared."""
    shown = [route for route in routes if not route.declaration.mark.hidden]
    schemas, components = _schemas(shown)
    paths: Json = {}
    for route in shown:
        path = re.sub(r":path\}", "}", route.path) or "/"
        paths.setdefault(path, {})[route.method.lower()] = _operation(api, route, schemas)
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": api.title, "version": api.version, **({"description": api.doc} if api.doc else {})},
        "paths": paths,
        "components": {"schemas": {**components, "Problem": PROBLEM, "InvalidRequest": INVALID}},
    }
    if api.authenticates:
        document["components"]["securitySchemes"] = api.security
    return document


class _Schemas:
    """The schema of every type that the operations use."""

    def __init__(self, types: Sequence[Any], made: Sequence[Json]) -> None:
        self._made = list(zip(types, made, strict=True))

    def of(self, hint: Any) -> Json:
        """By equality, since not every type can be hashed."""
        return next(dict(schema) for kind, schema in self._made if kind == hint)


def _schemas(routes: Sequence[Route]) -> tuple[_Schemas, Json]:
    types: list[Any] = []
    for route in routes:
        types += [each.type for each in route.parameters if each.source in (*PLAIN, "form", "body")]
        if route.result_type is not None:
            types.append(route.result_type)
    facts = {kind: _facts(kind) for route in routes for kind in route.declaration.mark.refuses}
    made, components = schema_components([*types, *facts.values()], ref_template=REFERENCE)
    for kind in facts:
        components[kind.__name__] = _refusal(kind, components[kind.__name__])
    state_decimals([components, *made])
    return _Schemas(types, made[: len(types)]), components


def state_decimals(part: Any) -> None:
    """Say what text a decimal is, which `format` alone leaves open."""
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ():
        state_decimals(inner)
    if isinstance(part, dict) and part.get("format") == "decimal":
        part.setdefault("pattern", DECIMAL)


def refusal_schemas(kinds: Sequence[type[Refusal]]) -> Json:
    """Refusals by name, as problems with their facts."""
    facts = {kind: _facts(kind) for kind in kinds}
    _, components = schema_components(list(facts.values()), ref_template=REFERENCE)
    for kind in facts:
        components[kind.__name__] = _refusal(kind, components[kind.__name__])
    return components


def _facts(kind: type[Refusal]) -> Any:
    fields = [(name, hint) for name, hint in refusal_facts(kind).items() if name not in RESERVED]
    return msgspec.defstruct(kind.__name__, fields, kw_only=True)


def _refusal(kind: type[Refusal], facts: Json) -> Json:
    fixed = {"code": {"const": code_of(kind)}, "status": {"const": kind.status}}
    properties = {**facts.get("properties", {}), **fixed}
    schema = {"title": title_of(kind), "allOf": [{"$ref": REFERENCE.format(name="Problem")}], "properties": properties}
    return {**schema, "description": (kind.__doc__ or "").strip(), "required": facts.get("required", [])}


def _operation(api: ApiDeclaration, route: Route, schemas: _Schemas) -> Json:
    mark, doc = route.declaration.mark, route.declaration.doc
    summary, _, rest = doc.partition("\n")
    operation: Json = {
        "operationId": route.name,
        "summary": summary or route.name.replace("_", " ").capitalize(),
        "parameters": list(_parameters(route, schemas)),
        "responses": _responses(api, route, schemas),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    if mark.tags:
        operation["tags"] = list(mark.tags)
    if (body := _request_body(route, schemas)) is not None:
        operation["requestBody"] = body
    callers = [each for each in route.parameters if each.source == "caller"]
    if api.authenticates and callers:
        operation["security"] = [{name: []} for name in api.security] + ([] if callers[0].required else [{}])
    return operation


def _parameters(route: Route, schemas: _Schemas) -> Iterator[Json]:
    for each in route.parameters:
        if each.source in PLAIN:
            required = each.source == "path" or each.required
            yield {"name": each.key, "in": each.source, "required": required, "schema": _with_default(each, schemas)}
        elif each.source == "page":
            limits = each.limits
            usual = min(limits.default, limits.maximum)
            limit = {"type": "integer", "minimum": 1, "maximum": limits.maximum, "default": usual}
            yield {"name": "limit", "in": "query", "required": False, "schema": limit}
            yield {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}}


def _with_default(parameter: Parameter, schemas: _Schemas) -> Json:
    schema = schemas.of(parameter.type)
    if not parameter.required and parameter.default is not None:
        default = msgspec.to_builtins(parameter.default, str_keys=True)
        schema = {"allOf": [schema], "default": default} if "$ref" in schema else {**schema, "default": default}
    return schema


def _request_body(route: Route, schemas: _Schemas) -> Json | None:
    if route.body is not None:
        content: Json = {"schema": schemas.of(route.body.type)}
        if route.declaration.mark.example is not None:
            content["example"] = msgspec.to_builtins(route.declaration.mark.example)
        return {"required": route.body.required, "content": {"application/json": content}}
    if not route.form:
        return None
    fields = [each for each in route.parameters if each.source in ("form", "upload")]
    uploads = any(each.source == "upload" for each in fields)
    schema = {
        "type": "object",
        "properties": {each.key: _form_field(each, schemas) for each in fields},
        "required": [each.key for each in fields if each.required],
    }
    kind = "multipart/form-data" if uploads else "application/x-www-form-urlencoded"
    return {"required": bool(schema["required"]), "content": {kind: {"schema": schema}}}


def _form_field(parameter: Parameter, schemas: _Schemas) -> Json:
    if parameter.source == "form":
        return _with_default(parameter, schemas)
    file = {"type": "string", "format": "binary"}
    return {"type": "array", "items": file} if parameter.many else file


def _responses(api: ApiDeclaration, route: Route, schemas: _Schemas) -> Json:
    found: Json = {str(route.status): _good(route, schemas)}
    if any(each.source not in ("request", "caller") for each in route.parameters):
        found["422"] = _problem("Values that do not fit, each of them named.", "InvalidRequest")
    if route.body is not None or route.form:
        found["400"] = _problem("The body cannot be read.")
        found["413"] = _problem("The body is too large.")
        found["415"] = _problem("The body is of another media type.")
    if api.authenticates:
        found["401"] = _problem("Not signed in.")
    for status, kinds in _by_status(route.declaration.mark.refuses).items():
        titles = "; ".join(title_of(kind) for kind in kinds)
        found[str(status)] = _problem(f"{titles}.", *(kind.__name__ for kind in kinds))
    found["default"] = _problem("Anything else that went wrong.")
    return dict(sorted(found.items()))


def _by_status(refusals: Sequence[type[Refusal]]) -> dict[int, list[type[Refusal]]]:
    found: dict[int, list[type[Refusal]]] = {}
    for kind in refusals:
        found.setdefault(kind.status, []).append(kind)
    return found


def _problem(description: str, *names: str) -> Json:
    references = [{"$ref": REFERENCE.format(name=name)} for name in names or ("Problem",)]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _good(route: Route, schemas: _Schemas) -> Json:
    answer: Json = {"description": "Done."}
    if route.result == "events":
        answer["content"] = {"text/event-stream": {"schema": schemas.of(route.result_type)}}
    elif route.result_type is not None:
        answer["content"] = {"application/json": {"schema": schemas.of(route.result_type)}}
    if any(each.source == "page" for each in route.parameters):
        answer["headers"] = {"Link": {"description": 'The next page, as rel="next".', "schema": {"type": "string"}}}
    return answer
