"""`ramet events`: events that wait, are tried again or were given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import ask
from ramet.cli.command import Choices, command, group, operated_option
from ramet.cli.sagas import shortened
from ramet.cli.times import moment
from ramet.errors import UsageError

if TYPE_CHECKING:
    from ramet.runtime.operators.requests import Changed, EventList

event_argument = click.argument("event", required=False)
consumer_option = click.option("--consumer", metavar="NAME", help='Such as "orders.note_payment".')


@command(
    ("ramet events list", "whatever is not handled"),
    ("ramet events list --consumer orders.note_payment", ""),
    name="list",
)
@operated_option
@consumer_option
@click.option("--topic", metavar="NAME", help='The event\'s name, such as "orders.OrderPlaced".')
@click.option("--key", help="With this key only.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many of each kind.")
def list_events(
    choices: Choices, deployment: str | None, consumer: str | None, topic: str | None, key: str | None, limit: int
) -> None:
    """List events that are not handled.

    They wait for their consumers, are tried again, or were given up.
    """
    from ramet.runtime.operators.requests import EventList, ListEvents

    found = ask(choices, deployment, ListEvents(consumer=consumer, topic=topic, key=key, limit=limit), EventList)
    if choices.json:
        output.document(found)
    else:
        _show(found)


@command(("ramet events show 019a…", "what a dead letter says, and why it is one"))
@click.argument("event")
@operated_option
def show(choices: Choices, event: str, deployment: str | None) -> None:
    """Show what a dead letter says, and why it is one."""
    from ramet.runtime.operators.requests import EventDetail, ShowEvent

    found = ask(choices, deployment, ShowEvent(event=event), EventDetail)
    if choices.json:
        output.document(found)
        return
    for content in found.letters:
        letter = content.letter
        output.say(f"{output.paint(letter.topic, 'bold')} {letter.key or ''} · {letter.consumer} · {letter.event_id}")
        given_up = f"given up {moment(letter.at)} after {letter.attempts} attempts"
        output.say(f"  published {moment(letter.published_at)}, {given_up}")
        output.say(f"  {letter.error}")
        output.say(f"  {content.payload}")


@command(
    ("ramet events replay 019a…", "one, when what it stumbled over is mended"),
    ("ramet events replay --consumer orders.note_payment", "all that this consumer gave up"),
)
@event_argument
@operated_option
@consumer_option
@click.option("--new-keys", is_flag=True, help="Call commands anew, also those that were answered already.")
def replay(choices: Choices, event: str | None, deployment: str | None, consumer: str | None, new_keys: bool) -> None:
    """Have dead letters handled again.

    Those of one EVENT, by its id, or all of a consumer.
    """
    from ramet.runtime.operators.requests import Changed, ReplayEvents

    _check(event, consumer)
    request = ReplayEvents(event=event, consumer=consumer, new_keys=new_keys)
    _changed(choices, ask(choices, deployment, request, Changed), "to be handled again")


@command(("ramet events discard 019a…", "for good"))
@event_argument
@operated_option
@consumer_option
def discard(choices: Choices, event: str | None, deployment: str | None, consumer: str | None) -> None:
    """Delete dead letters for good.

    Those of one EVENT, by its id, or all of a consumer.
    """
    from ramet.runtime.operators.requests import Changed, DiscardEvents

    _check(event, consumer)
    _changed(choices, ask(choices, deployment, DiscardEvents(event=event, consumer=consumer), Changed), "discarded")


def _check(event: str | None, consumer: str | None) -> None:
    if event is None and consumer is None:
        raise UsageError("Say which dead letters: an event's id, --consumer NAME for all of a consumer, or both.")


def _changed(choices: Choices, changed: Changed, what: str) -> None:
    if choices.json:
        output.document(changed)
    else:
        when = " at the next start" if changed.later and changed.count else ""
        output.say(f"{output.counted(changed.count, 'dead letter')} {what}{when}.")


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


events = group("events", "Events: list, show, replay, discard.", list_events, show, replay, discard)
