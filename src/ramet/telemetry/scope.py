"""What is executing right now: for which service, as what, and whether it has written already.

Which work may write, publish, start sagas and call commands is decided here, so that calls, database, events and sagas
agree.
"""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec

from ramet.errors import CommandAfterWrite, EffectInQuery, OutsideWork

T = TypeVar("T")


class Work(StrEnum):
    """The kinds of work a service does."""

    QUERY = "query"
    COMMAND = "command"
    HANDLER = "event handler"
    SCHEDULE = "schedule"
    STEP = "saga step"
    STARTUP = "startup"


class Apart(BaseException):
    """Work that shares its transaction with other work has to do what it may only do by itself.

    Never seen by services: all of it is rolled back, and run again, each by itself. Not an `Exception`, so that no
    `except Exception` of a service keeps it from getting there.
    """


class Committed(NamedTuple):
    """In the `args` of a CancelledError: the work was cancelled while it was being committed, and is committed.

    The error itself is of no class of its own: `asyncio.timeout` knows only the one (in Python 3.11).
    """

    result: Any


class Adrift(NamedTuple):
    """In the `args` of a CancelledError: it came while another process may have been executing a command."""

    method: str


def told_by(error: BaseException | None, kind: type[T]) -> T | None:
    """What the `args` of this error, a CancelledError, say of it: a Committed, an Adrift, or None."""
    first = error.args[0] if error is not None and error.args else None
    return first if isinstance(first, kind) else None


class FreshKey(str):
    """An idempotency key that nobody was asked with before: an answer to it need not be looked for first.

    It spares a look and decides nothing: where it is wrong, the recorded answer still stands, and what was done again
    is rolled back.
    """

    __slots__ = ()


class Scope(msgspec.Struct, eq=False):
    """One execution inside one service.

    `unit` is the open unit of work of the service's storage (None until the first use), `key` the idempotency key of
    this execution; `calls` counts the commands called, by method, so that each gets a key of its own. `joint`: other
    work may have written in the same transaction; `apart`: it tried to do what it may only do by itself. `supposed`:
    it was told that something is not there yet which a deferred row is to bring, so that a row in its place makes it
    run again; `ran_again`: it has, and supposes nothing.
    """

    service: str
    work: Work
    name: str
    key: str | None = None
    unit: object | None = None
    wrote: bool = False
    joint: bool = False
    apart: bool = False
    supposed: bool = False
    ran_again: bool = False
    calls: dict[str, int] | None = None

    def command_key(self, method: str) -> str | None:
        """The key for the next command called from here: the same one when this execution is repeated.

        None where this execution has no key; the call is counted all the same, since then it cannot be repeated.
        """
        if self.calls is None:
            self.calls = {}
        count = self.calls[method] = self.calls.get(method, 0) + 1
        return None if self.key is None else f"{self.key}/{method}/{count}"


current_scope: ContextVar[Scope | None] = ContextVar("ramet.scope", default=None)


def scope_of(service: str) -> Scope | None:
    """The running execution of this service; None in a query that another service called directly."""
    scope = current_scope.get()
    return scope if scope is not None and scope.service == service else None


def may_call_command(service: str, method: str) -> Scope:
    """The scope from which `service` calls another's command `method`; the error names the way out.

    Raises: EffectInQuery; CommandAfterWrite; Apart where other work has written in the same transaction.
    """
    scope = scope_of(service)
    if scope is None or scope.work is Work.QUERY:
        raise EffectInQuery(
            f"A query of {service} called the command {method}: queries have no effects. "
            f"Make the calling method a @command, or call {method} from a command, a handler or a saga."
        )
    if scope.wrote:
        raise CommandAfterWrite(
            f"{scope.work} {service}.{scope.name} called the command {method} after it has written: the two could not "
            f"be undone together. Call {method} before the first write, or publish an event, or start a saga "
            f"with a step that calls {method}."
        )
    if scope.joint:
        scope.apart = True
        raise Apart
    return scope


def may_have_effects(service: str, effect: str) -> Scope:
    """The scope in which `service` may write, publish or start a saga; `effect` names it in the error."""
    scope = scope_of(service)
    if scope is None and current_scope.get() is None:
        raise OutsideWork(
            f"{service} tried to {effect} outside of any work: "
            "do it in a command, an event handler, a schedule or startup()."
        )
    if scope is None or scope.work is Work.QUERY:
        raise EffectInQuery(f"A query of {service} tried to {effect}: queries have no effects. Make it a @command.")
    if scope.work is Work.STEP:
        raise EffectInQuery(
            f"The saga step {scope.name} tried to {effect}: a step acts through commands. "
            f"Call a command of {service} that does it."
        )
    return scope
