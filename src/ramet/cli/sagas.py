"""`ramet sagas`: work that spans services, looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ramet.cli import output
from ramet.cli.application import ask
from ramet.cli.command import DEPLOYMENT, Choices, command
from ramet.cli.moments import moment

if TYPE_CHECKING:
    from ramet.runtime.requests import Changed, SagaDetail, SagaRow

SAGA = Annotated[str, typer.Argument(help='Its id, or "Name/key".', metavar="SAGA")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Sagas: list, show, retry, cancel.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="sagas")
    command(
        group,
        ("ramet sagas list", "the newest 50"),
        ("ramet sagas list --status parked", "those that wait for an operator"),
        name="list",
    )(list_sagas)
    command(group, ("ramet sagas show Checkout/order-17", "its state, its log, its troubles"))(show)
    command(group, ("ramet sagas retry Checkout/order-17", "when what it stumbled over is mended"))(retry)
    command(group, ('ramet sagas cancel Checkout/order-17 --reason "customer called"', ""))(cancel)


def list_sagas(
    choices: Choices,
    deployment: DEPLOYMENT = "local",
    status: Annotated[str | None, typer.Option(help="running, compensating, parked, completed or compensated.")] = None,
    service: Annotated[str | None, typer.Option(help="Of this service only.")] = None,
    name: Annotated[str | None, typer.Option(help="Of this class only.")] = None,
    key: Annotated[str | None, typer.Option(help="With this business key only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List sagas, the newest first."""
    from ramet.runtime.requests import ListSagas, SagaList

    request = ListSagas(status=status, service=service, name=name, key=key, limit=limit)
    found = ask(choices, deployment, request, SagaList).sagas
    if choices.json:
        output.document(found)
        return
    output.table(("saga", "key", "status", "service", "started", "id", "trouble"), [_row(saga) for saga in found])
    if not found:
        output.say("There are no such sagas.")


def show(choices: Choices, saga: SAGA, deployment: DEPLOYMENT = "local") -> None:
    """Show one saga: its state, every step it took, and what it stumbles over."""
    from ramet.runtime.requests import SagaDetail, ShowSaga

    found = ask(choices, deployment, ShowSaga(saga=saga), SagaDetail)
    if choices.json:
        output.document(found)
    else:
        _show(found)


def retry(choices: Choices, saga: SAGA, deployment: DEPLOYMENT = "local") -> None:
    """Let a parked saga go on, and one that waits for its next attempt try at once."""
    from ramet.runtime.requests import Changed, RetrySaga

    _changed(choices, ask(choices, deployment, RetrySaga(saga=saga), Changed), "goes on")


def cancel(
    choices: Choices,
    saga: SAGA,
    deployment: DEPLOYMENT = "local",
    reason: Annotated[str, typer.Option(help="Why; kept with the saga.")] = "cancelled by an operator",
) -> None:
    """Turn a saga back: what it has done is undone, in reverse."""
    from ramet.runtime.requests import CancelSaga, Changed

    _changed(choices, ask(choices, deployment, CancelSaga(saga=saga, reason=reason), Changed), "turns back")


def _changed(choices: Choices, changed: Changed, what: str) -> None:
    if choices.json:
        output.document(changed)
    else:
        output.say(f"The saga {what}{' at the next start' if changed.later else ''}.")


def _row(saga: SagaRow) -> tuple[object, ...]:
    troubles = "; ".join(f"{trouble.step}: {trouble.error}" for trouble in saga.troubles) or saga.reason or ""
    return saga.name, saga.key, saga.status, saga.service, moment(saga.started_at), saga.id, shortened(troubles)


def _show(found: SagaDetail) -> None:
    saga = found.saga
    output.say(f"{output.paint(saga.name, 'bold')} {saga.key} · {saga.status} · {saga.service} · {saga.id}")
    output.say(f"  started {moment(saga.started_at)}" + (f", ended {moment(saga.ended_at)}" if saga.ended_at else ""))
    if saga.reason:
        output.say(f"  reason: {saga.reason}")
    for trouble in saga.troubles:
        again = f", again at {moment(trouble.retry_at)}" if trouble.retry_at else ""
        output.say(f"  {trouble.step} failed {trouble.attempts} times{again}: {trouble.error}")
    output.say(f"  state: {msgspec.json.encode(found.state).decode()}")
    output.table(("", "what", "step", "at"), [(entry.n, entry.kind, entry.step, moment(entry.at)) for entry in found.log])


def shortened(text: str, most: int = 60) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
