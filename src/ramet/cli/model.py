"""`ramet model`: what the application is, as data or as a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import configuration, declared
from ramet.cli.command import Choices, command

if TYPE_CHECKING:
    from ramet.model.application import Application


@command(
    ("ramet model", "services and what they depend on"),
    ("ramet model --json > model.json", "the versioned document, for tools"),
    ("ramet model --mermaid", "a flow chart, for a page"),
)
@click.option("--mermaid", is_flag=True, help="Draw it as a Mermaid flow chart.")
def model(choices: Choices, mermaid: bool) -> None:
    """Show what the application consists of.

    Services, contracts, events, sagas, APIs: the model from which everything else is derived.
    """
    from ramet.contract.describe import describe
    from ramet.model.document import dump
    from ramet.model.mermaid import draw

    application = describe(declared(configuration(choices)))
    if mermaid:
        output.raw(draw(application))
    elif choices.json:
        output.raw(dump(application).decode())
    else:
        _show(application)


def _show(application: Application) -> None:
    output.say(output.paint(application.name, "bold"))
    rows = []
    for service in application.services:
        contract = next(one for one in application.contracts if one.name == service.contract)
        needs = dict.fromkeys([*service.depends_on, *(name for saga in service.sagas for name in saga.depends_on)])
        sagas = ", ".join(saga.name for saga in service.sagas)
        methods = len(contract.methods)
        rows.append((service.name, contract.version, methods, len(contract.events), ", ".join(needs), sagas))
    output.table(("service", "version", "methods", "events", "calls", "sagas"), rows)
    provided = {service.contract for service in application.services}
    outside = [(one.name, one.version, len(one.methods)) for one in application.contracts if one.name not in provided]
    if outside:
        output.say()
    output.table(("outside", "version", "methods"), outside)
    events = [(event, ", ".join(handlers) or "nobody") for event, handlers in _handlers(application).items()]
    if events:
        output.say()
    output.table(("event", "handled by"), events)
    if application.apis:
        output.say()
    apis = [
        (one.name, one.version, len(one.routes), one.prefix or "/", ", ".join(one.depends_on))
        for one in application.apis
    ]
    output.table(("API", "version", "routes", "prefix", "calls"), apis)
    if application.mounted:
        output.say()
    output.table(("mounted", "application", "prefix"), [(one.name, one.app, one.prefix) for one in application.mounted])


def _handlers(application: Application) -> dict[str, list[str]]:
    """What handles each event, and which sagas wait for it."""
    events = [event for contract in application.contracts for event in contract.events]
    found: dict[str, list[str]] = {f"{event.owner}.{event.name}": [] for event in events}
    for service in application.services:
        for subscription in service.subscribes:
            found[subscription.event].append(f"{service.name}.{subscription.method}")
        for saga in service.sagas:
            for step in saga.steps:
                if step.event is not None:
                    found[step.event].append(f"{service.name}.{saga.name}.{step.name}")
    return found
