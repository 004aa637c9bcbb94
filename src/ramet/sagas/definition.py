"""Pure: a declared saga made runnable: its steps in stages, bound to the instance that has the clients."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from ramet.contract.saga import Saga, StepDeclaration, saga_declaration, takes_reason
from ramet.contract.struct import Event, Struct

DEFAULT_TIMEOUT_SECONDS = 5.0
Method = Callable[..., Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunnableStep:
    """A step with its methods: `title` is "<saga>.<step>"; `stage` counts from 0, and a parallel group shares one.

    `decisive` is true of the pivot and all that comes after: from there on what fails is repeated for ever. `forward`
    is true only after the pivot: there nothing is undone any more.
    """

    name: str
    title: str
    declaration: StepDeclaration
    do: Method
    undo: Method | None
    undo_takes_reason: bool = False
    stage: int
    timeout_seconds: float
    decisive: bool = False
    forward: bool = False

    @property
    def event(self) -> type[Event] | None:
        """The event that a wait waits for."""
        return self.declaration.event


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A saga as the engine runs it.

    `waits` tells whether it waits for events; `commands` are the full names of the commands that its steps can call,
    for the case that a crash has hidden which of them were called. `version` is a digest of `shape`, which is what a
    release has to keep for sagas in flight.
    """

    name: str
    cls: type[Saga]
    state: type[Struct]
    stages: tuple[tuple[RunnableStep, ...], ...]
    steps: Mapping[str, RunnableStep]
    waits: bool
    commands: tuple[str, ...]
    shape: tuple[tuple[StepShape, ...], ...]
    version: str

    def keys_of(self, event: Event) -> list[str]:
        """The keys of the sagas that this event is for."""
        fields = {step.declaration.match for step in self.steps.values() if step.event is type(event)}
        return sorted({str(getattr(event, field)) for field in fields if field is not None})

    def encode(self, state: Any) -> str:
        """A state as JSON."""
        return _ENCODER.encode(state).decode()

    def decode(self, text: str) -> Any:
        """A state from JSON. Raises: msgspec.ValidationError when it does not fit this release's State."""
        return msgspec.json.decode(text, type=self.state)

    def kept(self, state: Any) -> Any:
        """A state as it comes back from the journal, so that it is the same before and after a restart.

        Raises: TypeError or ValueError (msgspec.ValidationError) when it cannot be written, or not be read again.
        """
        return self.decode(self.encode(state))


class StepShape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a release has to keep of a step while sagas that have passed it are in flight."""

    name: str
    kind: str = "step"
    parallel: str | None = None
    pivot: bool = False
    undo: bool = False
    event: str | None = None


_ENCODER = msgspec.json.Encoder()


def make_definition(cls: type[Saga], instance: Saga, commands: Sequence[str] = ()) -> Definition:
    """The runnable saga, with the clients that `instance` was given; `commands` as in `Definition`."""
    declaration, _ = saga_declaration(cls)
    pivot = next((at for at, one in enumerate(declaration.steps) if one.pivot), len(declaration.steps))
    stages: list[list[RunnableStep]] = []
    for at, one in enumerate(declaration.steps):
        if not (stages and one.parallel is not None and stages[-1][0].declaration.parallel == one.parallel):
            stages.append([])
        step = _runnable(one, instance)
        title = f"{declaration.name}.{one.name}"
        stages[-1].append(replace(step, title=title, stage=len(stages) - 1, decisive=at >= pivot, forward=at > pivot))
    shape = tuple(tuple(_shape(one.declaration) for one in stage) for stage in stages)
    steps = {one.name: one for stage in stages for one in stage}
    return Definition(
        name=declaration.name,
        cls=declaration.cls,
        state=declaration.state,
        stages=tuple(tuple(stage) for stage in stages),
        steps=steps,
        waits=any(step.event is not None for step in steps.values()),
        commands=tuple(commands),
        shape=shape,
        version=hashlib.sha256(declaration.name.encode() + msgspec.json.encode(shape)).hexdigest()[:16],
    )


def _runnable(one: StepDeclaration, instance: Saga) -> RunnableStep:
    return RunnableStep(
        name=one.name,
        title=one.name,
        declaration=one,
        do=getattr(instance, one.do),
        undo=getattr(instance, one.undo) if one.undo else None,
        undo_takes_reason=one.undo is not None and takes_reason(getattr(type(instance), one.undo)),
        stage=0,
        timeout_seconds=_timeout(one),
    )


def _timeout(one: StepDeclaration) -> float:
    own = one.timeout_seconds if one.kind == "step" else None
    return DEFAULT_TIMEOUT_SECONDS if own is None else own


def _shape(one: StepDeclaration) -> StepShape:
    return StepShape(
        name=one.name,
        kind=one.kind,
        parallel=one.parallel,
        pivot=one.pivot,
        undo=one.undo is not None,
        event=None if one.event is None else event_name(one.event),
    )


def event_name(event: type[Event]) -> str:
    """The name under which an event is kept until its saga takes it."""
    return event.__name__


def event_waits(definition: Definition) -> Iterator[tuple[int, str]]:
    """The waits that nothing but their event ends, each with the number of steps that are done when it begins."""
    done = 0
    for stage in definition.stages:
        one = stage[0].declaration
        if stage[0].event is not None and one.timeout_seconds is None and one.until is None:
            yield done, stage[0].name
        done += len(stage)


def due(step: RunnableStep, state: Any, since: float) -> float | None:
    """When a wait that began at `since` goes on by itself or is overdue, in seconds since the epoch; None is never."""
    one = step.declaration
    if one.delay_seconds is not None:
        return since + one.delay_seconds
    if one.until is not None:
        moment: datetime | None = getattr(state, one.until)
        if moment is None:
            return since
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None if one.timeout_seconds is None else since + one.timeout_seconds


class Clash(Exception):
    """Two steps of a parallel group changed the same field in different ways."""


def merge(base: Any, state: Any, result: Any, step: str) -> Any:
    """The state with the fields that a step changed, where other steps of its parallel group may have changed others.

    Raises: Clash when a field has been changed by another step already, to another value.
    """
    if state is base:
        return result
    changed: dict[str, Any] = {}
    for name in result.__struct_fields__:
        value = getattr(result, name)
        if value == getattr(base, name):
            continue
        now = getattr(state, name)
        if now != getattr(base, name) and now != value:
            raise Clash(
                f'{step} set "{name}" of the state, which a step that ran in parallel had set to something else: '
                f"let each step of a parallel group set fields of its own."
            )
        changed[name] = value
    return msgspec.structs.replace(state, **changed)
