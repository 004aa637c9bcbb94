"""From declarations to the model: classes and types become inert values."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec

from ramet.contract.api import api_declaration
from ramet.contract.declared import (
    NO_DEFAULT,
    Declared,
    DeclaredApi,
    DeclaredContract,
    DeclaredMethod,
    DeclaredSaga,
    DeclaredService,
    Needs,
)
from ramet.contract.places import imported, where
from ramet.contract.reading.needs import settings_schema
from ramet.contract.reading.refusals import refusal_facts
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.saga import StepDeclaration, saga_declaration
from ramet.contract.schemas import schema_components
from ramet.contract.service import Duration
from ramet.errors import Refusal
from ramet.model import application as model
from ramet.settings import seconds

REFERENCE = "#/application/schemas/{name}"
"""Where a schema of a named type stands in the document (model/document.py)."""


def describe(declared: Declared) -> model.Application:
    """The model of an application that was read without mistakes."""
    return _Describing(declared).application()


class _Describing:
    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._names = {contract.cls: contract.name for contract in declared.contracts}
        self._facts = {
            refusal: msgspec.defstruct(f"{contract.cls.__name__}.{refusal.__name__}", _facts(refusal), kw_only=True)
            for contract in declared.contracts
            for refusal in _refusals(contract)
        }
        hints = list(self._hints())
        schemas, components = schema_components(hints, ref_template=REFERENCE)
        self._components: dict[str, model.Schema] = _plain(components)
        self._schemas: dict[int, model.Schema] = {
            id(hint): schema for hint, schema in zip(hints, _plain(schemas), strict=True)
        }

    def application(self) -> model.Application:
        declared = self._declared
        return model.Application(
            name=declared.name,
            contracts=tuple(self._contract(contract) for contract in declared.contracts),
            services=tuple(self._service(service) for service in declared.services),
            apis=tuple(self._api(api) for api in declared.apis),
            mounted=tuple(
                model.Mounted(
                    name=one.name, app=one.app if isinstance(one.app, str) else _place(type(one.app)), prefix=one.prefix
                )
                for one in declared.mounted
            ),
            schemas=self._components,
        )

    def _hints(self) -> Iterator[Any]:
        for contract in self._declared.contracts:
            for method in contract.methods.values():
                yield from (hint for _, hint, _ in method.parameters)
                yield method.result
            yield from contract.events
        yield from self._facts.values()
        for service in self._declared.services:
            yield from (saga_declaration(saga.cls)[0].state for saga in service.sagas)

    def _schema(self, hint: Any) -> model.Schema:
        return self._schemas[id(hint)]

    def _contract(self, contract: DeclaredContract) -> model.Contract:
        return model.Contract(
            name=contract.name,
            version=contract.version,
            source=_source(contract.cls),
            methods=tuple(self._method(method) for method in contract.methods.values()),
            refusals=tuple(
                model.RefusalKind(
                    name=refusal.__name__,
                    status=refusal.status,
                    schema=self._schema(self._facts[refusal]),
                    doc=_doc(refusal),
                )
                for refusal in _refusals(contract)
            ),
            events=tuple(
                model.EventKind(
                    name=event.__name__,
                    owner=contract.name,
                    schema=self._schema(event),
                    version=event.schema_version,
                    key=event.key_field,
                    doc=_doc(event),
                )
                for event in contract.events
            ),
            doc=_doc(contract.cls),
        )

    def _method(self, method: DeclaredMethod) -> model.Method:
        return model.Method(
            name=method.name,
            kind=method.kind,
            parameters=tuple(self._parameters(method)),
            result=self._schema(method.result),
            refuses=tuple(refusal.__name__ for refusal in method.refuses),
            doc=_doc(method.function),
        )

    def _parameters(self, method: DeclaredMethod) -> Iterator[model.Parameter]:
        kinds = inspect.signature(method.function).parameters
        for name, hint, default in method.parameters:
            schema = self._schema(hint)
            if default is not NO_DEFAULT:
                schema = {**schema, "default": _plain(default)}
            named = kinds[name].kind is inspect.Parameter.KEYWORD_ONLY
            yield model.Parameter(name=name, schema=schema, required=default is NO_DEFAULT, named=named)

    def _service(self, service: DeclaredService) -> model.Service:
        return model.Service(
            name=service.name,
            contract=service.contract.name,
            implementation=_place(service.cls),
            source=_source(service.cls),
            depends_on=self._dependencies(service),
            subscribes=tuple(
                model.Subscription(
                    event=self._declared.topic_of(handler.mark.event),
                    method=handler.name,
                    start=handler.mark.start,
                    attempts=handler.mark.attempts,
                    backoff_seconds=seconds(handler.mark.backoff),
                    timeout_seconds=seconds(handler.mark.timeout),
                )
                for handler in service.handlers
            ),
            schedules=tuple(
                model.Schedule(
                    method=schedule.name,
                    when=_when(schedule.mark.when),
                    zone=schedule.mark.zone,
                    timeout_seconds=seconds(schedule.mark.timeout),
                )
                for schedule in service.schedules
            ),
            sagas=tuple(self._saga(saga) for saga in service.sagas),
            database=service.keeps_data,
            settings=_settings(service.needs),
            doc=_doc(service.cls),
        )

    def _saga(self, saga: DeclaredSaga) -> model.Saga:
        declaration, _ = saga_declaration(saga.cls)
        return model.Saga(
            name=declaration.name,
            state=self._schema(declaration.state),
            steps=tuple(self._step(step) for step in declaration.steps),
            depends_on=self._dependencies(saga),
            doc=_doc(saga.cls),
        )

    def _step(self, step: StepDeclaration) -> model.Step:
        return model.Step(
            name=step.name,
            kind=step.kind,
            undo=step.undo,
            pivot=step.pivot,
            parallel=step.parallel,
            timeout_seconds=step.timeout_seconds,
            attempts=step.attempts if step.kind == "step" else None,
            backoff_seconds=step.backoff_seconds if step.kind == "step" else None,
            event=self._declared.topic_of(step.event) if step.event is not None else None,
            delay_seconds=step.delay_seconds,
            until=step.until,
        )

    def _api(self, api: DeclaredApi) -> model.Api:
        declaration = api_declaration(api.cls)
        routes, _ = resolve_routes(api.cls)
        return model.Api(
            name=api.name,
            version=declaration.version,
            prefix=declaration.prefix,
            implementation=_place(api.cls),
            source=_source(api.cls),
            depends_on=self._dependencies(api),
            routes=tuple(
                model.Route(
                    method=route.method,
                    path=route.path,
                    handler=route.name,
                    status=route.status,
                    doc=route.declaration.doc,
                )
                for route in routes
            ),
            settings=_settings(api.needs),
            doc=_doc(api.cls),
        )

    def _dependencies(self, part: DeclaredService | DeclaredSaga | DeclaredApi) -> tuple[str, ...]:
        return tuple(self._names[cls] for cls in part.needs.contracts.values())


def _plain(value: Any) -> Any:
    """As it comes back from JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _refusals(contract: DeclaredContract) -> tuple[type[Refusal], ...]:
    return tuple(dict.fromkeys(refusal for method in contract.methods.values() for refusal in method.refuses))


def _facts(refusal: type[Refusal]) -> list[tuple[str, Any] | tuple[str, Any, Any]]:
    defaults = refusal.defaults()
    hints = refusal_facts(refusal)
    return [(name, hint, defaults[name]) if name in defaults else (name, hint) for name, hint in hints.items()]


def _settings(needs: Needs) -> model.Schema | None:
    return next((settings_schema(kind) for kind in needs.settings.values()), None)


def _when(given: Duration) -> str:
    return given if isinstance(given, str) else f"{seconds(given):g}s"


def _source(cls: type) -> model.Source:
    file, line = where(cls)
    return model.Source(file=imported(file, cls.__module__), line=line)


def _place(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _doc(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")
