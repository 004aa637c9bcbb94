"""Pure: what a saga does next, given what has happened.

A saga goes forward stage by stage; a stage is one step, one wait, or the members of a parallel group. Everything that
happened is in its log (`Entry`), in order; `restore` folds the log into a `Progress`, `todo` says what may be begun
now, and the functions named for what happened (`did`, `failed`, `undid`, …) give the next Progress with the entries
to write.

When a step gives up before the pivot, the saga stops beginning things, lets what is under way end, and turns back: it
undoes, newest first, what was done and what may have been done. A step that gives up after the pivot, and an undo that
gives up, park the saga until an operator asks for a retry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from ramet.errors import UsageError
from ramet.sagas.definition import Clash, Definition, RunnableStep, due, merge
from ramet.sagas.progress import (
    ENDED,
    Entry,
    Failure,
    Kind,
    Outcome,
    Progress,
    Status,
    Todo,
    Trouble,
    TurnedBack,
    Undoing,
)

LONGEST_BACKOFF_SECONDS = 30.0
LONGEST_BACKOFF_AFTER_PIVOT_SECONDS = 60.0
CANCELLED = "Cancelled by an operator."

_NOTHING = Todo(run=())


def begin(state: Any, now: float) -> Progress:
    """A saga that has just been started."""
    return Progress(state=state, base=state, since=now)


def todo(definition: Definition, progress: Progress, now: float) -> Todo:
    """What may be begun at `now` (seconds since the epoch)."""
    if progress.status is Status.COMPENSATING:
        return _NOTHING if progress.active else _when_due(progress, (progress.plan[0].step,), now)
    if progress.status is not Status.RUNNING or progress.reason is not None:
        return _NOTHING
    stage = definition.stages[progress.stage]
    if len(stage) != 1:
        names = (one.name for one in stage)
        idle = tuple(name for name in names if name not in progress.executed and name not in progress.active)
        return _when_due(progress, idle, now)
    if progress.active:
        return _NOTHING
    (step,) = stage
    return _when_due(progress, (step.name,), now) if step.declaration.kind == "step" else _waiting(step, progress, now)


def _when_due(progress: Progress, names: tuple[str, ...], now: float) -> Todo:
    if not progress.trouble:
        return Todo(names)
    later = {name: progress.trouble[name].retry_at for name in names if name in progress.trouble}
    ready = tuple(name for name in names if later.get(name, 0.0) <= now)
    return Todo(ready, until=min((at for at in later.values() if at > now), default=None))


def _waiting(step: RunnableStep, progress: Progress, now: float) -> Todo:
    trouble = progress.trouble.get(step.name)
    if trouble is not None and trouble.retry_at > now:
        return Todo(until=trouble.retry_at)
    moment = due(step, progress.state, progress.since)
    over = moment is not None and moment <= now
    if step.event is None:
        return Todo((step.name,)) if over or moment is None else Todo(until=moment)
    return Todo(event=step.name, until=None if over else moment, overdue=over and trouble is None)


def began(progress: Progress, step: str) -> Progress:
    """An attempt of this step, or of its undo, is under way."""
    return replace(progress, active=progress.active | {step})


def did(definition: Definition, progress: Progress, step: str, state: Any, now: float) -> Outcome:
    """A step has ended with this state."""
    entry = Entry(Kind.DID, step, now, state)
    if len(definition.stages[progress.stage]) > 1:
        try:
            state = merge(progress.base, progress.state, state, step)
        except Clash as clash:
            return failed(definition, progress, step, Failure(error=str(clash), refused=True), now=now)
    return _settled(definition, _done(definition, progress, entry, state), (entry,), now)


def _done(definition: Definition, progress: Progress, entry: Entry, state: Any) -> Progress:
    """The step is over: the stage too, if it was the last of it."""
    executed = (*progress.executed, entry.step)
    stage = definition.stages[progress.stage]
    if len(stage) > 1 and not all(member.name in executed for member in stage):
        return replace(
            progress,
            state=state,
            executed=executed,
            active=progress.active - {entry.step},
            trouble=_without(progress.trouble, entry.step),
            n=progress.n + 1,
        )
    last = progress.stage + 1 == len(definition.stages)
    return Progress(
        state=state,
        base=state,
        since=entry.at,
        status=Status.COMPLETED if last else Status.RUNNING,
        stage=progress.stage + 1,
        executed=executed,
        reason=None if last else progress.reason,
        n=progress.n + 1,
    )


def failed(
    definition: Definition, progress: Progress, step: str, failure: Failure, *, now: float, chance: float = 1.0
) -> Outcome:
    """An attempt of a step, or of its undo, has failed; `chance` in [0, 1] spreads the next one over time."""
    trouble = _add(progress.trouble.get(step, Trouble(doubt=progress.doubtful)), failure)
    runnable = definition.steps[step]
    undoing = progress.status is Status.COMPENSATING
    used_up = trouble.attempts - trouble.excused >= runnable.declaration.attempts
    if undoing:
        over = used_up
    elif failure.refused:
        over = True
    else:
        over = used_up and not runnable.decisive
    if not over:
        longest = LONGEST_BACKOFF_SECONDS if not runnable.decisive or undoing else LONGEST_BACKOFF_AFTER_PIVOT_SECONDS
        delay = backoff(runnable.declaration.backoff_seconds, trouble.attempts, longest)
        trouble = replace(trouble, retry_at=now + delay * (0.5 + chance / 2))
    after = replace(
        progress,
        active=progress.active - {step},
        trouble={**progress.trouble, step: trouble},
        reason=progress.reason or (failure.error if over else None),
    )
    if over and (undoing or runnable.forward):
        return _parked(after, step, failure.error, now)
    return _settled(definition, after, (), now)


def overdue(definition: Definition, progress: Progress, step: str, now: float) -> Outcome:
    """The event that a wait needs has not come in time."""
    event = definition.steps[step].event
    error = f"{event.__name__ if event else 'The event'}, for which {step} waits, has not come in time."
    after = replace(progress, reason=error)
    if definition.steps[step].forward:
        return _parked(after, step, error, now)
    return _settled(definition, after, (), now)


def undid(progress: Progress, state: Any | None, now: float) -> Outcome:
    """The undo that was next has ended; None leaves the state as it was."""
    entry = Entry(Kind.UNDID, progress.plan[0].step, now, state)
    return _undone(progress, entry), (entry,)


def _undone(progress: Progress, entry: Entry) -> Progress:
    plan = progress.plan[1:]
    return replace(
        progress,
        since=progress.since if plan else entry.at,
        state=progress.state if entry.data is None else entry.data,
        active=frozenset(),
        trouble=_without(progress.trouble, entry.step),
        plan=plan,
        status=Status.COMPENSATING if plan else Status.COMPENSATED,
        n=progress.n + 1,
    )


def cancel(definition: Definition, progress: Progress, now: float) -> Outcome:
    """An operator wants it undone.

    Raises: UsageError with the reason why it cannot be.
    """
    if progress.status in ENDED:
        raise UsageError(f"The saga has ended ({progress.status}); there is nothing to cancel.")
    if progress.status is Status.COMPENSATING or progress.plan:
        raise UsageError("The saga is being undone already; `retry` makes it go on at once.")
    if definition.stages[progress.stage][0].decisive:
        step = definition.stages[progress.stage][0].name
        raise UsageError(
            f"The saga has reached its pivot and can only go forward (it is at {step}): `retry` makes it try at once."
        )
    return _settled(definition, replace(progress, reason=progress.reason or CANCELLED), (), now)


def retry(progress: Progress, now: float) -> Outcome:
    """An operator wants it to go on: a parked saga is tried anew, one that waits for its next attempt tries at once.

    Raises: UsageError when it has ended.
    """
    if progress.status in ENDED:
        raise UsageError(f"The saga has ended ({progress.status}); there is nothing to retry.")
    if progress.status is not Status.PARKED:
        trouble = {name: replace(one, retry_at=0.0) for name, one in progress.trouble.items()}
        return replace(progress, trouble=trouble), ()
    entry = Entry(Kind.RETRIED, progress.plan[0].step if progress.plan else "", now)
    return _retried(progress, entry), (entry,)


def _retried(progress: Progress, entry: Entry) -> Progress:
    trouble = {name: replace(one, attempts=0, excused=0, retry_at=0.0) for name, one in progress.trouble.items()}
    back = bool(progress.plan)
    return replace(
        progress,
        status=Status.COMPENSATING if back else Status.RUNNING,
        reason=progress.reason if back else None,
        since=entry.at,
        trouble=trouble,
        n=progress.n + 1,
    )


def _parked(progress: Progress, step: str, reason: str, now: float) -> Outcome:
    entry = Entry(Kind.PARKED, step, now, reason)
    return _stopped(progress, entry), (entry,)


def _stopped(progress: Progress, entry: Entry) -> Progress:
    reason = progress.reason if progress.plan else entry.data
    return replace(progress, status=Status.PARKED, reason=reason, n=progress.n + 1)


def _settled(definition: Definition, progress: Progress, entries: tuple[Entry, ...], now: float) -> Outcome:
    """Turn back as soon as nothing is under way, if there is a reason to."""
    if progress.reason is None or progress.active or progress.status is not Status.RUNNING:
        return progress, entries
    back = TurnedBack(reason=progress.reason, plan=tuple(_plan(definition, progress)))
    entry = Entry(Kind.TURNED_BACK, "", now, back)
    return _turned(progress, entry), (*entries, entry)


def _turned(progress: Progress, entry: Entry) -> Progress:
    back: TurnedBack = entry.data
    return replace(
        progress,
        since=progress.since if back.plan else entry.at,
        status=Status.COMPENSATING if back.plan else Status.COMPENSATED,
        reason=back.reason,
        plan=back.plan,
        trouble={},
        doubtful=False,
        n=progress.n + 1,
    )


def _plan(definition: Definition, progress: Progress) -> Iterable[Undoing]:
    """What may have happened and what has, newest first."""
    for step in reversed(definition.stages[progress.stage]):
        if step.name in progress.executed:
            continue
        trouble = progress.trouble.get(step.name, Trouble())
        doubt = (progress.doubtful or trouble.doubt) and step.declaration.kind == "step"
        if doubt or trouble.keys or (trouble.touched and step.undo is not None):
            yield Undoing(step=step.name, keys=trouble.keys, doubt=doubt)
    for name in reversed(progress.executed):
        if definition.steps[name].undo is not None:
            yield Undoing(step=name)


def restore(
    definition: Definition,
    started: Progress,
    entries: Iterable[Entry],
    *,
    trouble: Mapping[str, Trouble],
    reason: str | None = None,
    doubtful: bool = False,
) -> Progress:
    """The saga as its log tells, with the troubles and the reason to stop that were kept beside it.

    It is `doubtful` after a crash, when attempts may have been under way that left no trace in the log.
    """
    progress = started
    for entry in entries:
        progress = _fold(definition, progress, entry)
    if progress.status in ENDED:
        return progress
    if progress.plan:
        names = {progress.plan[0].step}
        doubtful = False
    else:
        names = {step.name for step in definition.stages[progress.stage]} - set(progress.executed)
        reason = progress.reason or reason
        progress = replace(progress, reason=reason)
    kept = {name: one for name, one in trouble.items() if name in names}
    return replace(progress, trouble=kept, doubtful=doubtful)


def resumed(definition: Definition, progress: Progress, now: float) -> Outcome:
    """A restored saga goes on: back, if it had a reason to."""
    return _settled(definition, progress, (), now)


def _fold(definition: Definition, progress: Progress, entry: Entry) -> Progress:
    if entry.kind is Kind.DID:
        state = merge(progress.base, progress.state, entry.data, entry.step)
        return _done(definition, progress, entry, state)
    if entry.kind is Kind.UNDID:
        return _undone(progress, entry)
    if entry.kind is Kind.TURNED_BACK:
        return _turned(progress, entry)
    if entry.kind is Kind.RETRIED:
        return _retried(progress, entry)
    if entry.kind is Kind.TAKEN_OVER:
        return replace(progress, n=progress.n + 1)
    return _stopped(progress, entry)


def _add(trouble: Trouble, failure: Failure) -> Trouble:
    keys = tuple(dict.fromkeys((*trouble.keys, *failure.keys)))
    if failure.renew is not None:
        keys = tuple(one for one in keys if one.key != failure.renew)
    cleared = bool(trouble.keys) and not keys  # all that was in doubt has been refused
    return Trouble(
        attempts=trouble.attempts + 1,
        excused=trouble.excused + failure.excused,
        error=failure.error,
        touched=bool(keys) or failure.touched or (trouble.touched and not cleared),
        keys=keys,
        doubt=trouble.doubt,
        renew=trouble.renew if failure.renew is None else (*trouble.renew, failure.renew),
    )


def _without(trouble: Mapping[str, Trouble], step: str) -> Mapping[str, Trouble]:
    return {name: one for name, one in trouble.items() if name != step} if trouble else trouble


def backoff(first_seconds: float, attempts: int, longest_seconds: float) -> float:
    """How long to wait after that many attempts: `first_seconds`, and twice as long each time."""
    return float(min(longest_seconds, first_seconds * 2 ** min(attempts - 1, 40)))
