"""The saga machine, driven by any happenings in any order, always ends, and keeps its rules on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ramet.contract.saga import Saga, StepDeclaration
from ramet.contract.struct import Event, Struct
from ramet.errors import UsageError
from ramet.sagas import machine
from ramet.sagas.definition import Definition, RunnableStep
from ramet.sagas.progress import ENDED, Entry, Failure, Key, Kind, Progress, Status


class Came(Event, key="order"):
    order: str


class Counted(Struct):
    """A field that the steps of a group set differently when they are told to clash."""

    shared: int = 0


async def nothing(*_: Any) -> None:
    return None


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Up to five stages; some are groups, some waits; perhaps one of the single steps is the pivot."""
    stages: list[tuple[RunnableStep, ...]] = []
    count = draw(st.integers(1, 5))
    pivot = draw(st.integers(0, count))
    for at in range(count):
        kind = "step" if at == pivot else draw(st.sampled_from(["step", "step", "group", "event", "delay"]))
        names = [f"s{at}m{member}" for member in range(draw(st.integers(2, 3)))] if kind == "group" else [f"s{at}"]
        stages.append(tuple(_step(draw, name, kind, at, pivot) for name in names))
    steps = {one.name: one for stage in stages for one in stage}
    return Definition(
        name="Any",
        cls=Saga,
        state=Counted,
        stages=tuple(stages),
        steps=steps,
        waits=True,
        commands=(),
        shape=(),
        version="1",
    )


def _step(draw: st.DrawFn, name: str, kind: str, at: int, pivot: int) -> RunnableStep:
    undo = nothing if at < pivot and draw(st.booleans()) else None
    declaration = StepDeclaration(
        name=name,
        kind="wait" if kind in ("event", "delay") else "step",
        do=name,
        undo="undo" if undo else None,
        pivot=at == pivot,
        parallel="group" if kind == "group" else None,
        attempts=draw(st.integers(1, 3)),
        timeout_seconds=50.0 if kind == "event" else 5.0,
        event=Came if kind == "event" else None,
        delay_seconds=30.0 if kind == "delay" else None,
    )
    return RunnableStep(
        name=name,
        title=name,
        declaration=declaration,
        do=nothing,
        undo=undo,
        stage=at,
        timeout_seconds=5.0,
        decisive=at >= pivot,
        forward=at > pivot,
    )


@dataclass
class Run:
    """A saga under the machine, with its log and the row beside it."""

    definition: Definition
    progress: Progress = field(default_factory=lambda: machine.begin(Counted(), 0.0))
    log: list[Entry] = field(default_factory=list)
    now: float = 0.0

    def tell(self, outcome: tuple[Progress, tuple[Entry, ...]]) -> None:
        before = self.progress
        self.progress, told = outcome
        self.log += told
        assert self.progress.n == before.n + len(told) == len(self.log)

    def crash(self, *, doubtful: bool) -> None:
        """What is in memory is gone; what was under way may have happened."""
        before = self.progress
        restored = machine.restore(
            self.definition,
            machine.begin(Counted(), 0.0),
            [msgspec.structs.replace(one) for one in self.log],
            trouble=before.trouble,
            reason=before.reason,
            doubtful=doubtful,
        )
        for name in ("state", "base", "since", "status", "stage", "executed", "reason", "plan", "n"):
            assert getattr(restored, name) == getattr(before, name), name
        self.progress = restored
        self.tell(machine.resumed(self.definition, restored, self.now))

    def settle(self, step: str, how: str, chance: float) -> None:
        """An attempt ends."""
        back = self.progress.status is Status.COMPENSATING
        if how in ("well", "clash") and back:
            self.tell(machine.undid(self.progress, None, self.now))
        elif how in ("well", "clash"):
            base: Counted = self.progress.base
            shared = int(step[1:].replace("m", "")) + 1 if how == "clash" else base.shared
            state = Counted(shared=shared)
            self.tell(machine.did(self.definition, self.progress, step, state, self.now))
        else:
            failure = Failure(error=how, refused=how == "refused", touched=how != "clean", keys=_keys(how, step))
            self.tell(machine.failed(self.definition, self.progress, step, failure, now=self.now, chance=chance))

    def check(self) -> None:
        """The rules that hold at every moment."""
        done = [one.step for one in self.log if one.kind is Kind.DID]
        undone = [one.step for one in self.log if one.kind is Kind.UNDID]
        turned = [at for at, one in enumerate(self.log) if one.kind is Kind.TURNED_BACK]
        assert len(done) == len(set(done)), "a step is done at most once"
        assert len(undone) == len(set(undone)), "a step is undone at most once"
        assert len(turned) <= 1
        stages = [self.definition.steps[name].stage for name in done]
        assert stages == sorted(stages), "stages follow one another"
        decided = [at for at, one in enumerate(self.log) if one.kind is Kind.DID and self._decisive(one.step)]
        if decided:
            assert not turned, "nothing is undone after the pivot"
        if turned:
            plan = [one.step for one in self.log[turned[0]].data.plan]
            assert undone == plan[: len(undone)]
            expected = [name for name in reversed(done) if self.definition.steps[name].undo is not None]
            assert plan[len(plan) - len(expected) :] == expected, "what was done is undone in reverse"
            assert all(name not in done for name in plan[: len(plan) - len(expected)])
            assert all(one.kind is not Kind.DID for one in self.log[turned[0] :])

    def _decisive(self, step: str) -> bool:
        return self.definition.steps[step].decisive


def _keys(how: str, step: str) -> tuple[Key, ...]:
    return (Key(f"c.{step}", f"1/{step}/do"),) if how == "unknown" else ()


HOW = st.sampled_from(["well", "well", "well", "refused", "unknown", "clean", "clash"])


@settings(max_examples=150, deadline=None)
@given(definition=definitions(), data=st.data())
def test_a_saga_always_ends_and_keeps_the_rules(definition: Definition, data: st.DataObject) -> None:
    run = Run(definition)
    for turn in range(600):
        if run.progress.status in ENDED:
            break
        _begin(run, data, chaos=turn < 25)
        _end(run, data, chaos=turn < 25)
        run.now += 10.0
    assert run.progress.status in ENDED
    run.check()
    run.crash(doubtful=False)
    assert run.progress.since == run.log[-1].at, "when it ended"
    if run.progress.status is Status.COMPLETED:
        assert set(run.progress.executed) == set(definition.steps)
    else:
        assert run.progress.plan == ()
        assert run.progress.reason


def _begin(run: Run, data: st.DataObject, *, chaos: bool) -> None:
    """Begin all that may be begun; an event comes sooner, later or, in chaos, never."""
    if run.progress.status is Status.PARKED and not run.progress.active:
        run.tell(machine.retry(run.progress, run.now))
    todo = machine.todo(run.definition, run.progress, run.now)
    for name in todo.run:
        assert name not in run.progress.active
        run.progress = machine.began(run.progress, name)
    if todo.event is None:
        return
    came = not todo.overdue or not chaos or data.draw(st.booleans(), "the event came")
    if came and data.draw(st.booleans(), "now"):
        run.progress = machine.began(run.progress, todo.event)
    elif todo.overdue and not came:
        run.tell(machine.overdue(run.definition, run.progress, todo.event, run.now))


def _end(run: Run, data: st.DataObject, *, chaos: bool) -> None:
    """Some attempts end, in any way; without chaos all of them, and well."""
    if chaos:
        _disturb(run, data)
    for name in sorted(run.progress.active):
        if not chaos:
            run.settle(name, "well", 0.5)
        elif data.draw(st.booleans(), f"{name} ends"):
            run.settle(name, data.draw(HOW, name), data.draw(st.floats(0, 1), "chance"))
        run.check()


def _disturb(run: Run, data: st.DataObject) -> None:
    what = data.draw(st.sampled_from(["", "", "", "crash", "evict", "cancel", "retry"]), "disturbance")
    if what == "crash" or (what == "evict" and not run.progress.active):
        run.crash(doubtful=what == "crash")
    elif what in ("cancel", "retry"):
        try:
            if what == "cancel":
                run.tell(machine.cancel(run.definition, run.progress, run.now))
            else:
                run.tell(machine.retry(run.progress, run.now))
        except UsageError:
            pass
    run.check()


@given(first=st.floats(0, 100), attempts=st.integers(1, 10_000), longest=st.floats(0, 1000))
def test_pauses_grow_and_stay_bounded(first: float, attempts: int, longest: float) -> None:
    pause = machine.backoff(first, attempts, longest)
    assert 0 <= pause <= longest
    assert pause <= machine.backoff(first, attempts + 1, longest)
