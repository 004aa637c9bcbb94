"""One attempt of a step: in which scope it runs, and what its failure says about what may have been executed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ramet.clock import Clock
from ramet.errors import Cancelled, Denied, Refusal, Unauthenticated, Unavailable, described, storable
from ramet.sagas import machine
from ramet.sagas.definition import Definition, RunnableStep
from ramet.sagas.live import Live
from ramet.sagas.moments import Happened
from ramet.sagas.progress import Failure, Key, Outcome, Status
from ramet.sagas.waking import Limit
from ramet.telemetry.context import Believe, current_context
from ramet.telemetry.scope import FreshKey, Scope, Work, current_scope

NOT_EXECUTED = (Unavailable, Cancelled, Denied, Unauthenticated)
"""Errors of a call that say for certain that the command was not executed."""

Withdraw = Callable[[str, str], Awaitable[object]]
Signal = tuple[str, str]
"""The id and the JSON of an event."""
Wrong = tuple[Happened, str]
"""Whether a step was refused, which is an answer by which the saga goes back, or has failed; and why."""


class StepScope(Scope):
    """The scope of a step or its undo: remembers the commands that it called.

    A command that has refused is called with another key the next time, since under the old one it would repeat its
    answer.
    """

    execution: str = ""
    renew: tuple[str, ...] = ()
    called: list[Key] = msgspec.field(default_factory=list)
    fresh: bool = False

    def command_key(self, method: str) -> str | None:
        key = super().command_key(method)
        if key is not None:
            again = sum(1 for one in self.renew if one.partition("~")[0] == key)
            key = f"{key}~{again}" if again else key
            self.called.append(Key(method, key))
            return FreshKey(key) if self.fresh else key
        return None


def failure(error: BaseException, scope: StepScope) -> Failure:
    """What an attempt that ended with `error` leaves behind.

    A client marks the error of a command with the command's key (`__ramet_key__`); then, and only then, it is known
    which command the error belongs to. All others that were called may have been executed.
    """
    excused = isinstance(error, Unavailable)
    key = getattr(error, "__ramet_key__", None)
    own = None if key is None else str(key)  # a plain one, as it is kept
    others = tuple(one for one in scope.called if one.key != own)
    if isinstance(error, Refusal):
        renew = own if len(others) < len(scope.called) else None
        return Failure(error=storable(str(error)), refused=True, touched=bool(others), keys=others, renew=renew)
    if len(others) < len(scope.called) and isinstance(error, NOT_EXECUTED):
        return Failure(error=described(error), excused=excused, touched=bool(others), keys=others)
    return Failure(error=described(error), excused=excused, keys=tuple(scope.called))


class Performer:
    """Makes attempts."""

    def __init__(self, service: str, clock: Clock, withdraw: Withdraw) -> None:
        self.service = service
        self.believe: Believe | None = None
        self._clock = clock
        self._withdraw = withdraw

    async def perform(
        self, live: Live, name: str, limit: Limit, found: Signal | None = None
    ) -> tuple[Outcome, Wrong | None]:
        """One attempt of a step, or of its undo where the saga goes back: what it leads to, and what went wrong."""
        step = live.definition.steps[name]
        back = live.progress.status is Status.COMPENSATING
        scope = self._scope(live, step, back=back)
        deadline = self._clock.monotonic() + step.timeout_seconds
        current_scope.set(scope)
        limit.begin(deadline)
        try:
            context = live.execution(scope.execution, deadline)
            current_context.set(context if self.believe is None else self.believe(context))
            state = await (self._undo(live, step) if back else self._do(live, step, found))
        except asyncio.CancelledError as error:
            failed = self._cancelled(step, scope, limit, error, back=back)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a step raises is an outcome, be it SystemExit
            failed = failure(error, scope)
        else:
            now = self._clock.time()
            if back:
                return machine.undid(live.progress, state, now), None
            return machine.did(live.definition, live.progress, name, state, now), None
        finally:
            limit.end()
        now, chance = self._clock.time(), self._clock.random()
        outcome = machine.failed(live.definition, live.progress, name, failed, now=now, chance=chance)
        answered = failed.refused and not (back or step.forward)
        return outcome, (Happened.REFUSED if answered else Happened.FAILED, failed.error)

    def _scope(self, live: Live, step: RunnableStep, *, back: bool) -> StepScope:
        trouble = live.progress.trouble.get(step.name)
        key = f"{live.id}/{step.name}/{'undo' if back else 'do'}"
        if trouble is not None:
            return StepScope(self.service, Work.STEP, step.title, key, execution=key, renew=trouble.renew)
        fresh = not (back or live.progress.doubtful)
        return StepScope(self.service, Work.STEP, step.title, key, execution=key, fresh=fresh)

    @staticmethod
    def _cancelled(
        step: RunnableStep, scope: StepScope, limit: Limit, error: asyncio.CancelledError, *, back: bool
    ) -> Failure:
        """The time was up, or the step cancelled its task. Raises: CancelledError when the engine is stopped."""
        if limit.stopped:
            what = f"the undo of {step.name}" if back else step.name
            return Failure(error=f"{what} took longer than {step.timeout_seconds:g} s", keys=tuple(scope.called))
        if limit.is_ending:
            raise error
        return Failure(error=described(error), keys=tuple(scope.called))

    async def _do(self, live: Live, step: RunnableStep, found: Signal | None) -> Any:
        base = live.progress.base
        if found is None:
            state = await step.do(base)
        else:
            state = await step.do(base, msgspec.json.decode(found[1], type=step.event))
        return _kept(live.definition, state, step.title)

    async def _undo(self, live: Live, step: RunnableStep) -> Any:
        """Withdraw what may still be on its way, then undo."""
        undoing = live.progress.plan[0]
        for one in undoing.keys:
            await self._withdraw(one.method, one.key)
        if undoing.doubt:
            known = {one.key for one in undoing.keys}
            for method in live.definition.commands:
                key = f"{live.id}/{step.name}/do/{method}/1"
                if key not in known:
                    await self._withdraw(method, key)
        if step.undo is None:
            return None
        progress = live.progress
        told = (progress.state, progress.reason or "") if step.undo_takes_reason else (progress.state,)
        state = await step.undo(*told)
        return state if state is None else _kept(live.definition, state, f"The undo of {step.title}")


def _kept(definition: Definition, state: Any, by: str) -> Any:
    """What a step has returned, as the next one is given it. Raises: TypeError when it cannot be kept."""
    if not isinstance(state, definition.state):
        raise TypeError(f"{by} returned {type(state).__name__}, which is not its State")
    try:
        return definition.kept(state)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{by} returned a State that cannot be kept: {error}") from error
