"""Pure: the model as a Mermaid flow chart."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.model.application import Application


def draw(application: Application) -> str:
    """Services as boxes, APIs as hexagons; solid arrows are calls, dotted ones events, thick ones saga steps."""
    return "\n".join(("flowchart LR", *(f"  {line}" for line in _lines(application)))) + "\n"


def _lines(application: Application) -> Iterator[str]:
    for api in application.apis:
        yield f'{api.name}{{{{"{api.name}<br/>{api.prefix or "/"}"}}}}'
    for mounted in application.mounted:
        yield f'{mounted.name}[/"{mounted.name}<br/>{mounted.prefix}"/]'
    for service in application.services:
        shape = '[("{}")]' if service.database else '["{}"]'
        yield service.name + shape.format(service.name)
    for api in application.apis:
        for needed in api.depends_on:
            yield f"{api.name} --> {needed}"
    for service in application.services:
        for needed in service.depends_on:
            yield f"{service.name} --> {needed}"
        for saga in service.sagas:
            for needed in saga.depends_on:
                yield f"{service.name} == {saga.name} ==> {needed}"
        for subscription in service.subscribes:
            owner, _, event = subscription.event.rpartition(".")
            yield f"{owner} -. {event} .-> {service.name}"
