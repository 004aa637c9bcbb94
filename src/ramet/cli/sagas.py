"""`ramet sagas`: work that spans services, looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from ramet.cli import output
from ramet.cli.application import ask
from ramet.cli.command import Choices, command, group, operated_option
from ramet.cli.times import moment

if TYPE_CHECKING:
    from ramet.runtime.operators.requests import Changed, SagaDetail, ServiceSaga

STATUSES = ("running", "waiting", "compensating", "parked", "stranded", "completed", "compensated")
saga_argument = click.argument("saga")


@command(
    ("ramet sagas list", "the newest 50"),
    ("ramet sagas list --status parked", "those that wait for an operator"),
    name="list",
)
@operated_option
@click.option("--status", type=click.Choice(STATUSES), help="In this state only.")
@click.option("--service", metavar="NAME", help="Of this service only.")
@click.option("--name", metavar="CLASS", help="Of this class only.")
@click.option("--key", help="With this business key only.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
def list_sagas(  # noqa: PLR0917 - click gives them by name
    choices: Choices,
    deployment: str | None,
    status: str | None,
    service: str | None,
    name: str | None,
    key: str | None,
    limit: int,
) -> None:
    """List sagas, the newest first."""
    from ramet.runtime.operators.requests import ListSagas, SagaList
    from ramet.sagas.progress import Status

    wanted = Status(status) if status is not None else None
    request = ListSagas(status=wanted, service=service, name=name, key=key, limit=limit)
    found = ask(choices, deployment, request, SagaList).sagas
    if choices.json:
        output.document(found)
        return
    output.table(("saga", "key", "status", "at", "service", "started", "id", "trouble"), [_row(saga) for saga in found])
    if not found:
        output.say("There are no such sagas.")
    elif len(found) == limit:
        output.note(f"These are the newest {limit}: --limit shows more.")


@command(("ramet sagas show Checkout/order-17", "its state, its log, its troubles"))
@saga_argument
@operated_option
def show(choices: Choices, saga: str, deployment: str | None) -> None:
    """Show one saga: its state, its log, its troubles.

    SAGA is its id, or "Name/key".
    """
    from ramet.runtime.operators.requests import SagaDetail, ShowSaga

    found = ask(choices, deployment, ShowSaga(saga=saga), SagaDetail)
    if choices.json:
        output.document(found)
    else:
        _show(found)


@command(("ramet sagas retry Checkout/order-17", "when what it stumbled over is mended"))
@saga_argument
@operated_option
def retry(choices: Choices, saga: str, deployment: str | None) -> None:
    """Let a parked saga go on.

    One that waits for its next attempt tries at once. SAGA is its id, or "Name/key".
    """
    from ramet.runtime.operators.requests import Changed, RetrySaga

    _changed(choices, ask(choices, deployment, RetrySaga(saga=saga), Changed), "goes on")


@command(("ramet sagas cancel Checkout/order-17", ""))
@saga_argument
@operated_option
def cancel(choices: Choices, saga: str, deployment: str | None) -> None:
    """Turn a saga back: undo what it has done.

    It is as if its next step had been refused. SAGA is its id, or "Name/key".
    """
    from ramet.runtime.operators.requests import CancelSaga, Changed

    _changed(choices, ask(choices, deployment, CancelSaga(saga=saga), Changed), "turns back")


def _changed(choices: Choices, changed: Changed, what: str) -> None:
    if choices.json:
        output.document(changed)
    else:
        output.say(f"The saga {what}{' at the next start' if changed.later else ''}.")


def _row(found: ServiceSaga) -> tuple[object, ...]:
    saga = found.saga
    trouble = saga.error or saga.reason or ""
    facts = (saga.name, saga.key, saga.status.value, saga.at, found.service, moment(saga.started), saga.id)
    return (*facts, shortened(trouble))


def _show(found: SagaDetail) -> None:
    history, saga = found.history, found.history.saga
    output.say(f"{output.paint(saga.name, 'bold')} {saga.key} · {saga.status.value} · {found.service} · {saga.id}")
    lines = {
        "started": moment(saga.started),
        "ended": moment(saga.ended),
        "at": saga.at if saga.ended is None else None,
        "until": moment(saga.until),
        "reason": saga.reason,
        "failed": f"{saga.attempts} times: {saga.error}" if saga.error and saga.attempts else None,
        "trouble": saga.error if not saga.attempts else None,
        "trace": history.trace,
        "state": msgspec.json.encode(history.state).decode(),
    }
    for name, value in lines.items():
        if value:
            output.say(f"  {name:8} {value}")
    output.table(("what", "step", "at"), [(line.happened.value, line.step, moment(line.at)) for line in history.log])


def shortened(text: str, most: int = 60) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


sagas = group("sagas", "Sagas: list, show, retry, cancel.", list_sagas, show, retry, cancel)
