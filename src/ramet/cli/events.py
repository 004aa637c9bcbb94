"""`ramet events`: events that wait, are tried again or were given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ramet.cli import output
from ramet.cli.application import ask
from ramet.cli.command import DEPLOYMENT, Choices, command
from ramet.cli.moments import moment
from ramet.cli.sagas import shortened
from ramet.errors import UsageError

if TYPE_CHECKING:
    from ramet.runtime.requests import Changed, EventList

EVENT = Annotated[str | None, typer.Argument(help="The event's id; without it, all of the consumer.", metavar="EVENT")]
CONSUMER = Annotated[str | None, typer.Option(help='The consumer, such as "orders.note_payment".', metavar="NAME")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Events: list, show, replay, discard.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="events")
    command(
        group,
        ("ramet events list", "whatever is not handled"),
        ("ramet events list --consumer orders.note_payment", ""),
        name="list",
    )(list_events)
    command(group, ("ramet events show 019a…", "what a dead letter says, and why it is one"))(show)
    command(
        group,
        ("ramet events replay 019a…", "one, when what it stumbled over is mended"),
        ("ramet events replay --consumer orders.note_payment", "all that this consumer gave up"),
    )(replay)
    command(group, ("ramet events discard 019a…", "for good"))(discard)


def list_events(
    choices: Choices,
    deployment: DEPLOYMENT = "local",
    consumer: CONSUMER = None,
    topic: Annotated[str | None, typer.Option(help='The event\'s name, such as "orders.OrderPlaced".')] = None,
    key: Annotated[str | None, typer.Option(help="With this key only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each kind.")] = 50,
) -> None:
    """List events that wait for their consumers, are tried again, or were given up."""
    from ramet.runtime.requests import EventList, ListEvents

    found = ask(choices, deployment, ListEvents(consumer=consumer, topic=topic, key=key, limit=limit), EventList)
    if choices.json:
        output.document(found)
    else:
        _show(found)


def show(choices: Choices, event: Annotated[str, typer.Argument(metavar="EVENT")], deployment: DEPLOYMENT = "local") -> None:
    """Show what a dead letter says, and why each consumer gave it up."""
    from ramet.runtime.requests import EventDetail, ShowEvent

    found = ask(choices, deployment, ShowEvent(event=event), EventDetail)
    if choices.json:
        output.document(found)
        return
    for content in found.letters:
        letter = content.letter
        output.say(f"{output.paint(letter.topic, 'bold')} {letter.key or ''} · {letter.consumer} · {letter.event_id}")
        output.say(f"  published {moment(letter.published_at)}, given up {moment(letter.at)} after {letter.attempts} attempts")
        output.say(f"  {letter.error}")
        output.say(f"  {content.payload}")


def replay(
    choices: Choices,
    event: EVENT = None,
    deployment: DEPLOYMENT = "local",
    consumer: CONSUMER = None,
    new_keys: Annotated[
        bool, typer.Option("--new-keys", help="Call commands anew, also those that were answered already.")
    ] = False,
) -> None:
    """Have dead letters handled again."""
    from ramet.runtime.requests import Changed, ReplayEvents

    _check(event, consumer)
    request = ReplayEvents(event=event, consumer=consumer, new_keys=new_keys)
    _changed(choices, ask(choices, deployment, request, Changed), "to be handled again")


def discard(
    choices: Choices, event: EVENT = None, deployment: DEPLOYMENT = "local", consumer: CONSUMER = None
) -> None:
    """Delete dead letters. They cannot be had back."""
    from ramet.runtime.requests import Changed, DiscardEvents

    _check(event, consumer)
    _changed(choices, ask(choices, deployment, DiscardEvents(event=event, consumer=consumer), Changed), "discarded")


def _check(event: str | None, consumer: str | None) -> None:
    if event is None and consumer is None:
        raise UsageError("Say which dead letters: an event's id, --consumer NAME for all of a consumer, or both.")


def _changed(choices: Choices, changed: Changed, what: str) -> None:
    if choices.json:
        output.document(changed)
    else:
        letters = "dead letter" if changed.count == 1 else "dead letters"
        output.say(f"{changed.count} {letters} {what}{' at the next start' if changed.later and changed.count else ''}.")


def _show(found: EventList) -> None:
    if not (found.waiting or found.retrying or found.dead):
        output.say("Every event is handled.")
    waiting = [(one.topic, one.key, one.service, moment(one.at), one.event_id) for one in found.waiting]
    output.table(("waiting", "key", "publisher", "published", "id"), waiting)
    retrying = [
        (one.topic, one.key, one.consumer, one.attempts, moment(one.next_at), one.event_id, shortened(one.error))
        for one in found.retrying
    ]
    output.table(("tried again", "key", "consumer", "attempts", "next", "id", "error"), retrying)
    dead = [
        (one.topic, one.key, one.consumer, one.attempts, moment(one.at), one.event_id, shortened(one.error))
        for one in found.dead
    ]
    output.table(("given up", "key", "consumer", "attempts", "at", "id", "error"), dead)
