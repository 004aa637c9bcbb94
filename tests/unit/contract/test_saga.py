"""What reading a saga's declaration finds, and every mistake that can be made in one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ramet.contract.saga import Saga, SagaDeclaration, StepDeclaration, saga_declaration, step, wait
from ramet.contract.struct import Event, Struct


class Settled(Event, key="order"):
    order: str


class Loose(Event):
    order: str


class State(Struct):
    order: str = ""
    ready: datetime | None = None


def mistakes(cls: type[Saga]) -> list[str]:
    return [f"{one.message} {one.remedy}" for one in saga_declaration(cls)[1]]


class Good(Saga):
    class State(Struct):
        order: str = ""
        ready: datetime | None = None

    @step
    async def reserve(self, state: State) -> State:
        """Reserve."""
        return state

    @reserve.undo
    async def release(self, state: State) -> None:
        return None

    @step(timeout="1m", attempts=3, backoff=timedelta(seconds=2), parallel="pay")
    async def charge(self, state: State) -> State:
        return state

    @step(parallel="pay")
    async def note(self, state: State) -> State:
        return state

    @wait(Settled, timeout="1h")
    async def settled(self, state: State, event: Settled) -> State:
        return state

    @wait(Loose, match="order")
    async def loose(self, state: State, event: Loose) -> State:
        return state

    @wait(delay="10m")
    async def cool(self, state: State) -> State:
        return state

    @wait(until="ready")
    async def arrive(self, state: State) -> State:
        return state

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        return state


def test_a_saga_is_read_as_data() -> None:
    declaration, found = saga_declaration(Good)
    assert found == ()
    assert isinstance(declaration, SagaDeclaration)
    assert (declaration.name, declaration.cls, declaration.state) == ("Good", Good, Good.State)
    assert declaration.steps == (
        StepDeclaration(name="reserve", kind="step", do="reserve", undo="release", timeout_seconds=5.0),
        StepDeclaration(
            name="charge",
            kind="step",
            do="charge",
            parallel="pay",
            timeout_seconds=60.0,
            attempts=3,
            backoff_seconds=2.0,
        ),
        StepDeclaration(name="note", kind="step", do="note", parallel="pay", timeout_seconds=5.0),
        StepDeclaration(
            name="settled", kind="wait", do="settled", event=Settled, match="order", timeout_seconds=3600.0
        ),
        StepDeclaration(name="loose", kind="wait", do="loose", event=Loose, match="order"),
        StepDeclaration(name="cool", kind="wait", do="cool", delay_seconds=600.0),
        StepDeclaration(name="arrive", kind="wait", do="arrive", until="ready"),
        StepDeclaration(name="ship", kind="step", do="ship", pivot=True, timeout_seconds=5.0),
    )


async def test_steps_and_undos_can_be_called_like_methods() -> None:
    saga, state = Good(), Good.State(order="1")
    assert await saga.reserve(state) is state
    assert await saga.release(state) is None
    assert await saga.settled(state, Settled(order="1")) is state
    assert Good.reserve.__doc__ == "Reserve."


def test_a_subclass_keeps_the_steps_of_its_base_in_their_place() -> None:
    class Better(Good):
        @step
        async def reserve(self, state: State) -> State:
            return state

        @step
        async def tell(self, state: State) -> State:
            return state

    names = [one.name for one in saga_declaration(Better)[0].steps]
    assert names == ["reserve", "charge", "note", "settled", "loose", "cool", "arrive", "ship", "tell"]


def test_a_saga_needs_a_state_and_steps() -> None:
    class Empty(Saga):
        pass

    assert mistakes(Empty) == [
        "The saga Empty has no State. Declare `class State(Struct)` inside it: what the steps pass on.",
        "The saga Empty has no steps. Decorate its methods with @step, in their order.",
    ]


def test_a_function_must_be_async_and_take_what_it_is_given() -> None:
    class Wrong(Saga):
        State = State

        @step  # type: ignore[arg-type]  # the mistake
        def reserve(self, state: State) -> State:
            return state

        @step  # type: ignore[arg-type]  # the mistake
        async def charge(self) -> State:
            return State()

        @charge.undo  # type: ignore[arg-type]  # the mistake
        async def refund(self, state: State, why: str, how: str) -> None:
            return None

        @wait(Settled)  # type: ignore[arg-type]  # the mistake
        async def settled(self, state: State) -> State:
            return state

    assert mistakes(Wrong) == [
        "Wrong.reserve is not async. Write `async def reserve(self, state)`.",
        "Wrong.charge takes nothing instead of state. Write `async def charge(self, state)`.",
        (
            "Wrong.refund, which undoes charge, takes state, why, how instead of state. "
            "Write `async def refund(self, state)`."
        ),
        "Wrong.settled takes state instead of state and event. Write `async def settled(self, state, event)`.",
    ]


def test_a_step_has_one_undo_with_a_name_of_its_own() -> None:
    class Twice(Saga):
        State = State

        @step
        async def reserve(self, state: State) -> State:
            return state

        @reserve.undo
        async def release(self, state: State) -> None:
            return None

        @reserve.undo
        async def free(self, state: State) -> None:
            return None

    assert mistakes(Twice) == ["Twice.reserve has 2 undos: release and free. Keep one of them."]


def test_there_is_one_pivot_and_nothing_is_undone_after_it() -> None:
    class Pivots(Saga):
        State = State

        @step(pivot=True)
        async def ship(self, state: State) -> State:
            return state

        @step(pivot=True)
        async def tell(self, state: State) -> State:
            return state

        @tell.undo
        async def untell(self, state: State) -> None:
            return None

    assert mistakes(Pivots) == [
        "Pivots has 2 pivots: ship and tell. Keep the first step that cannot be undone.",
        (
            "Pivots.untell undoes tell, which comes after the pivot ship. "
            "Remove it: after the pivot a saga only goes forward."
        ),
    ]


def test_a_parallel_group_stands_together_without_the_pivot() -> None:
    class Apart(Saga):
        State = State

        @step(parallel="a")
        async def one(self, state: State) -> State:
            return state

        @step
        async def between(self, state: State) -> State:
            return state

        @step(parallel="a", pivot=True)
        async def two(self, state: State) -> State:
            return state

    assert mistakes(Apart) == [
        (
            'Apart.two stands apart from its parallel group "a". '
            "Write the steps of a group one after the other, or give this one another group."
        ),
        (
            "Apart.two is the pivot, and runs in parallel with others. "
            "Let the pivot run alone: before it everything can be undone, after it nothing."
        ),
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Waits.it waits for nothing."),
        ({"delay": "1s", "until": "ready"}, "Waits.it waits for delay and until."),
        ({"delay": "1s", "timeout": "2s"}, "Waits.it has a timeout, but waits for a time."),
        ({"delay": "soon"}, "Waits.it: the delay cannot be understood:"),
        ({"delay": -1}, "Waits.it: the delay -1 is negative."),
        ({"until": "never"}, 'Waits.it waits until "never", which is no field of Waits.State.'),
        ({"until": "order"}, 'Waits.it waits until "order", which is not a datetime.'),
    ],
)
def test_a_wait_waits_for_one_thing_that_makes_sense(given: dict[str, object], sentence: str) -> None:
    class Waits(Saga):
        class State(Struct):
            order: str = ""
            ready: datetime | None = None

        @wait(**given)  # type: ignore[call-overload, untyped-decorator]  # the mistake
        async def it(self, state: State) -> State:
            return state

    (found,) = mistakes(Waits)
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("event", "match", "sentence"),
    [
        (str, None, "Waits.it waits for str, which is not an event."),
        (Event, None, "Waits.it waits for Event, which is not an event."),
        (Loose, None, "Waits.it waits for Loose, which has no key."),
        (
            Settled,
            "nothing",
            'Waits.it matches the field "nothing", which Settled does not have. Its fields are order.',
        ),
    ],
)
def test_a_wait_for_an_event_finds_its_saga(event: type[Event], match: str | None, sentence: str) -> None:
    class Waits(Saga):
        State = State

        @wait(event, match=match)
        async def it(self, state: State, event: Event) -> State:
            return state

    (found,) = mistakes(Waits)
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"timeout": 0}, "Steps.it has a timeout of nothing."),
        ({"timeout": "x"}, "Steps.it: the timeout cannot be understood:"),
        ({"backoff": "-1s"}, "Steps.it: the backoff cannot be understood:"),
        ({"attempts": 0}, "Steps.it is to be attempted 0 times."),
    ],
)
def test_the_numbers_of_a_step_make_sense(given: dict[str, object], sentence: str) -> None:
    class Steps(Saga):
        State = State

        @step(**given)  # type: ignore[call-overload, untyped-decorator]  # the mistake
        async def it(self, state: State) -> State:
            return state

    (found,) = mistakes(Steps)
    assert found.startswith(sentence)


def test_a_mistake_knows_its_function() -> None:
    class Apart(Saga):
        State = State

        @step(attempts=0)
        async def it(self, state: State) -> State:
            return state

    (found,) = saga_declaration(Apart)[1]
    assert found.at is Apart.it
