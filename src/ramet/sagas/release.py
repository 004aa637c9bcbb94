"""Pure: whether sagas in flight can go on with a release's definitions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ramet.errors import IncompatibleRelease
from ramet.sagas.definition import Definition, StepShape
from ramet.sagas.journal import SavedSaga, Shapes
from ramet.sagas.progress import Kind, TurnedBack

Shape = tuple[tuple[StepShape, ...], ...]
SHOWN = 10


def objection(saga: SavedSaga, definition: Definition | None, shapes: Shapes) -> str | None:
    """Why this saga cannot go on with `definition`, or None if it can.

    What it has executed, and the stage that may be in flight, must be there in the same order, and its state must fit.
    """
    if definition is None:
        return f"this release has no saga {saga.name}"
    before = shapes.by_version.get(saga.definition)
    if before is None:
        return "the steps it was started with are not known"
    try:
        reached = _reached(saga, before)
    except msgspec.DecodeError as error:
        return f"its log cannot be read ({error})"
    return _difference(before[:reached], definition.shape) or _state(saga, definition)


def step_reached(saga: SavedSaga, shapes: Shapes) -> str:
    """The step it is at, by the name that it was started with; "" where that is not known."""
    before = shapes.by_version.get(saga.definition)
    try:
        stage = before[_reached(saga, before) - 1] if before else ()
    except msgspec.DecodeError:
        stage = ()
    if not stage:
        return ""
    done = {row.step for row in saga.log if row.kind == Kind.DID}
    return next((step.name for step in stage if step.name not in done), stage[-1].name)


def _reached(saga: SavedSaga, shape: Shape) -> int:
    """How many stages have been executed or may be in flight."""
    steps = {row.step for row in saga.log if row.kind == Kind.DID}
    turned = [row.data for row in saga.log if row.kind == Kind.TURNED_BACK and row.data]
    for data in turned:
        steps |= {one.step for one in msgspec.json.decode(data, type=TurnedBack).plan}
    touched = [at for at, stage in enumerate(shape) if any(step.name in steps for step in stage)]
    last = max(touched, default=-1)
    if turned or (last >= 0 and any(step.name not in steps for step in shape[last])):
        return last + 1
    return min(last + 2, len(shape))


def _difference(before: Shape, after: Shape) -> str | None:
    for at, stage in enumerate(before):
        now = after[at] if at < len(after) else ()
        for old, new in zip(stage, now, strict=False):
            if changed := _changed(old, new):
                return changed
        if len(now) < len(stage):
            return f'its step "{stage[len(now)].name}" is gone'
        if len(now) > len(stage):
            return f'the step "{now[len(stage)].name}" was put into a parallel group that it has reached'
    return None


def _changed(old: StepShape, new: StepShape) -> str | None:
    if old.name != new.name:
        return f'where it has "{old.name}", this release has "{new.name}"'
    for field in ("kind", "parallel", "pivot", "event"):
        if getattr(old, field) != getattr(new, field):
            return f'the {field} of its step "{old.name}" has changed'
    return f'the undo of its step "{old.name}" is gone' if old.undo and not new.undo else None


def _state(saga: SavedSaga, definition: Definition) -> str | None:
    states = [saga.state, *(row.data for row in saga.log if row.kind in (Kind.DID, Kind.UNDID) and row.data)]
    try:
        for state in states:
            definition.decode(state)
    except Exception as error:  # noqa: BLE001 - its author's code looks at a State, too
        return f"its state does not fit the new State ({error})"
    return None


def refusal(service: str, stranded: Sequence[tuple[SavedSaga, str]]) -> IncompatibleRelease:
    """The error that names the sagas which this release would strand."""
    names = [f"{saga.name} {saga.key} ({saga.id}): {reason}" for saga, reason in stranded]
    more = f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return IncompatibleRelease(
        f"{len(names)} saga{'s' if len(names) > 1 else ''} of {service} in flight would be stranded by this release: "
        f"{'; '.join(names[:SHOWN])}{more}. Deploy the release that started them until they have ended, "
        f"or cancel them there with `ramet sagas cancel`.",
        [saga.id for saga, _ in stranded],
    )
