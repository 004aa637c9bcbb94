"""Pure: a contract as an OpenAPI 3.1 document: what a service in another language implements, or calls."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from ramet.contract.declared import NO_DEFAULT, DeclaredContract, DeclaredMethod
from ramet.contract.schemas import schema_components
from ramet.http.openapi import PROBLEM, REFERENCE, refusal_schemas, state_decimals
from ramet.http.problems import title_of

Json = dict[str, Any]
KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "A repeated call with the same key is answered as the first was, and executed once.",
}
TIMEOUT: Json = {
    "name": "Ramet-Timeout",
    "in": "header",
    "required": False,
    "schema": {"type": "integer", "minimum": 1},
    "description": "How many milliseconds the caller waits; what is not done by then is rolled back.",
}


def contract_openapi(contract: DeclaredContract) -> Json:
    """`POST /<contract>/<method>` for each method: arguments as an object, the result or a problem as the answer."""
    methods = list(contract.methods.values())
    refusals = {kind: None for method in methods for kind in method.refuses}
    types = [_arguments(method) for method in methods] + [method.result for method in methods]
    made, components = schema_components(types, ref_template=REFERENCE)
    components |= refusal_schemas(list(refusals))
    state_decimals([components, *made])
    paths = {}
    for method, arguments, result in zip(methods, made, made[len(methods) :], strict=False):
        paths[f"/{contract.name}/{method.name}"] = {"post": _operation(method, arguments, result)}
    info = {"title": contract.cls.__name__, "version": contract.version}
    if doc := inspect.getdoc(contract.cls):
        info["description"] = doc
    schemas = {**components, "Problem": PROBLEM}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _arguments(method: DeclaredMethod) -> Any:
    fields = [
        (name, hint) if default is NO_DEFAULT else (name, hint, default) for name, hint, default in method.parameters
    ]
    return msgspec.defstruct(f"{method.name}_arguments", fields, kw_only=True)


def _operation(method: DeclaredMethod, arguments: Json, result: Json) -> Json:
    doc = inspect.getdoc(method.function) or ""
    responses: Json = {"200": {"description": "The result.", "content": {"application/json": {"schema": result}}}}
    by_status: dict[str, list[type[Any]]] = {}
    for kind in method.refuses:
        by_status.setdefault(str(kind.status), []).append(kind)
    for status, kinds in sorted(by_status.items()):
        schemas = [{"$ref": REFERENCE.format(name=kind.__name__)} for kind in kinds]
        responses[status] = _problem("; ".join(map(title_of, kinds)) + ".", schemas)
    responses["default"] = _problem("Anything else that went wrong.", [{"$ref": REFERENCE.format(name="Problem")}])
    return {
        "operationId": method.name,
        "summary": doc.partition("\n")[0] or method.name.replace("_", " ").capitalize(),
        "x-ramet-kind": method.kind,
        "parameters": [TIMEOUT, KEY] if method.is_command else [TIMEOUT],
        "requestBody": {"required": True, "content": {"application/json": {"schema": arguments}}},
        "responses": responses,
    }


def _problem(description: str, schemas: list[Json]) -> Json:
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
