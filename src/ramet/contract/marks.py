"""Checks of handlers and schedules."""

from __future__ import annotations

import inspect

from ramet.contract.declared import DeclaredHandler, DeclaredSchedule
from ramet.contract.problems import Problems
from ramet.contract.signatures import UNRESOLVED, resolve
from ramet.contract.struct import Event
from ramet.contract.when import parse_when
from ramet.settings import seconds


def check_handler(cls: type, handler: DeclaredHandler, problems: Problems) -> None:
    """Report what keeps an `@on` method from handling its event."""
    function, event = getattr(cls, handler.name), handler.mark.event
    title = f"{cls.__name__}.{handler.name}"
    if not inspect.iscoroutinefunction(function):
        problems.add(function, f"{title} is not async.", f"Write `async def {handler.name}(self, event)`.")
    if not (isinstance(event, type) and issubclass(event, Event)) or event is Event:
        shown = getattr(event, "__name__", repr(event))
        problems.add(function, f"{title} is @on({shown}), which is not an event.", f"Declare `class {shown}(Event)`.", word="@on")
        return
    parameters = list(inspect.signature(function).parameters.values())[1:]
    if len(parameters) != 1:
        problems.add(
            function, f"{title} takes {len(parameters)} parameters.", f"A handler takes the event: `(self, event: {event.__name__})`."
        )
    elif parameters[0].annotation is not parameters[0].empty:
        hint = resolve(parameters[0].annotation, cls, problems, function, f"{title}: the event")
        if hint is not event and hint is not UNRESOLVED:
            shown = getattr(hint, "__name__", str(hint))
            problems.add(function, f"{title} is @on({event.__name__}) but takes a {shown}.", "Make the two the same.")
    if handler.mark.start not in ("now", "retained"):
        problems.add(function, f'{title} starts from "{handler.mark.start}".', 'Write start="now" or start="retained".', word="@on")
    try:
        seconds(handler.mark.backoff)
    except ValueError as error:
        problems.add(function, f"{title}: {error}.", word="@on")


def check_schedule(cls: type, schedule: DeclaredSchedule, problems: Problems) -> None:
    """Report what keeps an `@every` method from running."""
    function = getattr(cls, schedule.name)
    title = f"{cls.__name__}.{schedule.name}"
    if not inspect.iscoroutinefunction(function):
        problems.add(function, f"{title} is not async.", f"Write `async def {schedule.name}(self)`.")
    if len(inspect.signature(function).parameters) != 1:
        problems.add(function, f"{title} takes parameters, but the clock gives none.", "Take only self.")
    try:
        parse_when(schedule.mark.when, schedule.mark.zone)
    except ValueError as error:
        problems.add(function, f"{title}: {error}.", 'Write "10m", or cron text such as "30 3 * * *".', word="@every")
