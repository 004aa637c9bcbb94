"""Pure: the model as a Mermaid flow chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ramet.model.application import Application

RESERVED = frozenset({
    "call", "class", "classdef", "click", "default", "direction", "end", "flowchart", "graph", "href", "interpolate",
    "linkstyle", "style", "subgraph",
})  # fmt: skip  # a list of words


def draw(application: Application) -> str:
    """Services as boxes, APIs as hexagons; solid arrows are calls, dotted ones events, thick ones saga steps."""
    ids = _ids(application)
    lines = (*_nodes(application, ids), *_calls(application, ids), *_events(application, ids))
    return "\n".join(("flowchart LR", *(f"  {line}" for line in dict.fromkeys(lines)))) + "\n"


def _ids(application: Application) -> Mapping[str, str]:
    """An identifier for each name: no hyphens, and none of the words that Mermaid keeps for itself."""
    ids: dict[str, str] = {}
    for part in (application.apis, application.mounted, application.services, application.contracts):
        for name in (one.name for one in part):
            if name not in ids:
                plain = "".join(letter if letter.isalnum() else "_" for letter in name)
                while plain.lower() in RESERVED or plain in ids.values():
                    plain += "_"
                ids[name] = plain
    return ids


def _nodes(application: Application, ids: Mapping[str, str]) -> Iterator[str]:
    for api in application.apis:
        yield f"{ids[api.name]}{{{{{_text(api.name, api.prefix or '/')}}}}}"
    for mounted in application.mounted:
        yield f"{ids[mounted.name]}[/{_text(mounted.name, mounted.prefix)}/]"
    provided = {service.contract for service in application.services}
    for service in application.services:
        text = _text(service.name)
        yield ids[service.name] + (f"[({text})]" if service.database else f"[{text}]")
    for contract in application.contracts:
        if contract.name not in provided:
            yield f"{ids[contract.name]}([{_text(contract.name)}])"


def _calls(application: Application, ids: Mapping[str, str]) -> Iterator[str]:
    for callers in (application.apis, application.services):
        for caller in callers:
            for needed in caller.depends_on:
                yield f"{ids[caller.name]} --> {ids[needed]}"
    for service in application.services:
        for saga in service.sagas:
            for needed in saga.depends_on:
                yield f"{ids[service.name]} ==>|{_text(saga.name)}| {ids[needed]}"


def _events(application: Application, ids: Mapping[str, str]) -> Iterator[str]:
    for service in application.services:
        awaited = [subscription.event for subscription in service.subscribes]
        awaited += [step.event for saga in service.sagas for step in saga.steps if step.event is not None]
        for topic in awaited:
            owner, _, event = topic.rpartition(".")
            yield f"{ids[owner]} -.->|{_text(event)}| {ids[service.name]}"


def _text(*lines: str) -> str:
    escaped = (line.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;") for line in lines)
    return '"' + "<br/>".join(escaped) + '"'
