"""Checks of handlers and schedules."""

from __future__ import annotations

import inspect
from typing import Any

from ramet.contract.reading.hints import UNRESOLVED, resolve
from ramet.contract.reading.signatures import Method, called, check_callable, declare, is_async
from ramet.contract.reading.types import shown
from ramet.contract.service import HandlerMark, ScheduleMark
from ramet.contract.struct import Event
from ramet.contract.timetable import timetable
from ramet.settings import seconds


def check_handler(method: Method, mark: HandlerMark) -> None:
    """Report what keeps an `@on` method from handling its event."""
    event = mark.event
    if not check_callable(method, "(self, event)"):
        return
    if not is_async(method.function):
        method.wrong(" is not async.", f"Write `async def {method.name}(self, event)`.")
    if not (isinstance(event, type) and issubclass(event, Event)) or event is Event:
        method.wrong(f" is @on({called(event)}), which is not an event.", declare(event, "Event"), word="@on")
    elif not _takes(method.function, 1):
        taken = len(inspect.signature(method.function).parameters) - 1
        remedy = f"A handler takes the event: `async def {method.name}(self, event: {event.__name__})`."
        method.wrong(f" takes {taken} parameters.", remedy)
    else:
        _check_event(method, event)
    _check_options(method, mark)


def _check_event(method: Method, event: type[Event]) -> None:
    parameter = list(inspect.signature(method.function).parameters.values())[1]
    if parameter.annotation is parameter.empty:
        return
    hint = resolve(parameter.annotation, method.cls, method.problems, method.function, f"{method.title}: the event")
    fits = isinstance(hint, type) and issubclass(event, hint)
    if hint is not UNRESOLVED and not fits:
        message = f" is @on({event.__name__}), but takes a {shown(hint)}."
        method.wrong(message, "Make the two the same.", word=parameter.name)


def _check_options(method: Method, mark: HandlerMark) -> None:
    if mark.start not in ("now", "retained"):
        method.wrong(f" starts from {mark.start!r}.", 'Write start="now" or start="retained".', word="@on")
    if not isinstance(mark.attempts, int) or mark.attempts < 1:
        method.wrong(f" is to be attempted {mark.attempts!r} times.", "Write attempts=1 or more.", word="@on")
    try:
        if seconds(mark.backoff) < 0:
            method.wrong(
                f" has the negative backoff {mark.backoff!r}.", 'Write backoff="100ms", for instance.', word="@on"
            )
    except ValueError as error:
        method.wrong(f" has a wrong backoff: {error}.", word="@on")
    _check_timeout(method, mark.timeout, "@on")


def _check_timeout(method: Method, timeout: Any, word: str) -> None:
    try:
        if seconds(timeout) <= 0:
            method.wrong(f" has the timeout {timeout!r}.", 'Write timeout="30s", for instance.', word=word)
    except ValueError as error:
        method.wrong(f" has a wrong timeout: {error}.", word=word)


def check_schedule(method: Method, mark: ScheduleMark) -> None:
    """Report what keeps an `@every` method from running."""
    if not check_callable(method, "(self)"):
        return
    if not is_async(method.function):
        method.wrong(" is not async.", f"Write `async def {method.name}(self)`.")
    if not _takes(method.function, 0):
        method.wrong(" takes parameters, but the clock gives none.", f"Write `async def {method.name}(self)`.")
    try:
        timetable(mark.when, mark.zone)
    except ValueError as error:
        method.wrong(f" has a wrong schedule: {error}.", word="@every")
    _check_timeout(method, mark.timeout, "@every")


def _takes(function: Any, count: int) -> bool:
    """Whether it can be called with `self` and so many arguments."""
    try:
        inspect.signature(function).bind(None, *(None,) * count)
    except TypeError:
        return False
    return True
