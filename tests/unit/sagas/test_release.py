"""A new release goes on with the sagas in flight, or is refused; never silently neither."""

from __future__ import annotations

from typing import Any

import pytest

from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Event, Struct
from ramet.errors import IncompatibleRelease
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.world import World


class State(Struct):
    order: str = "o"


class NewState(Struct):
    order: str = "o"
    note: str = ""


class OtherState(Struct):
    number: int


class Arrived(Event, key="order"):
    order: str


def call(name: str, undo: bool = False, **options: Any) -> dict[str, Any]:
    """The members of a class: a step that calls `<name>.go`, and perhaps its undo."""

    async def go(self: Any, state: Any) -> Any:
        await self.there.call(f"{name}.go", "o")
        return state

    async def back(self: Any, state: Any) -> None:
        await self.there.call(f"{name}.back", "o")

    go.__name__, back.__name__ = name, f"un{name}"
    decorated = step(**options)(go)
    return {name: decorated, f"un{name}": decorated.undo(back)} if undo else {name: decorated}


def waiting(name: str) -> dict[str, Any]:
    """The member of a class: a wait for Arrived."""

    async def go(self: Any, state: Any, event: Arrived) -> Any:
        return state

    go.__name__ = name
    return {name: wait(Arrived)(go)}


def saga(*members: dict[str, Any], state: type = State, name: str = "Tour") -> type[Saga]:
    """A saga class of one release."""
    joined = {key: value for one in members for key, value in one.items()}
    return type(name, (Saga,), {"State": state, **joined})


OLD = saga(call("a", undo=True), call("b", undo=True), call("c"))


async def in_flight(world: MakeWorld, release: type[Saga], at: str) -> tuple[World, str]:
    """A saga that hangs in the step `at`, in a process that has crashed."""
    w = await world(release)
    w.there.plan(f"{at}.go", "hangs")
    identity = await w.start(release, "1", State())
    await w.run()
    await w.crash()
    return w, identity


async def release(w: World, *sagas: type[Saga]) -> None:
    w.sagas = sagas
    await w.open()


async def test_steps_may_be_appended(world: MakeWorld) -> None:
    w, identity = await in_flight(world, OLD, "b")
    await release(w, saga(call("a", undo=True), call("b", undo=True), call("c"), call("d")))
    await w.run()
    assert await w.status(identity) == "completed"
    assert w.there.effects == ["a.go o", "b.go o", "c.go o", "d.go o"]


async def test_a_saga_that_went_on_in_a_new_release_cannot_go_back_to_the_old_one(world: MakeWorld) -> None:
    w, identity = await in_flight(world, OLD, "c")
    w.there.plan("d.go", "hangs")
    await release(w, saga(call("a", undo=True), call("b", undo=True), call("c"), call("d")))
    await w.run()
    await w.crash()
    with pytest.raises(IncompatibleRelease, match='its step "d" is gone') as caught:
        await release(w, OLD)
    assert caught.value.stranded == (identity,)


async def test_what_has_not_been_reached_may_change(world: MakeWorld) -> None:
    w, identity = await in_flight(world, OLD, "b")
    await release(w, saga(call("a", undo=True), call("b", undo=True), call("x", parallel="p"), call("y", parallel="p")))
    await w.run()
    assert await w.status(identity) == "completed"


async def test_a_field_with_a_default_may_be_added_to_the_state(world: MakeWorld) -> None:
    w, identity = await in_flight(world, OLD, "b")
    await release(w, saga(call("a", undo=True), call("b", undo=True), call("c"), state=NewState))
    await w.run()
    assert (await w.views.show(identity)).state == {"order": "o", "note": ""}


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ((), "this release has no saga Tour"),
        ((saga(call("a", undo=True), call("x")),), 'where it has "b", this release has "x"'),
        ((saga(call("x"), call("a", undo=True)),), 'where it has "a", this release has "x"'),
        ((saga(call("a", undo=True)),), 'its step "b" is gone'),
        ((saga(call("a"), call("b", undo=True)),), 'the undo of its step "a" is gone'),
        ((saga(call("a", undo=True, pivot=True), call("b")),), 'the pivot of its step "a" has changed'),
        ((saga(call("a", undo=True), waiting("b")),), 'the kind of its step "b" has changed'),
        ((saga(call("a", undo=True), call("b", undo=True, parallel="p")),), 'the parallel of its step "b" has changed'),
        ((saga(call("a", undo=True), call("b", undo=True), state=OtherState),), "its state does not fit the new State"),
    ],
)
async def test_what_strands_a_saga_is_refused_and_named(
    world: MakeWorld, new: tuple[type[Saga], ...], reason: str
) -> None:
    w, identity = await in_flight(world, OLD, "b")
    with pytest.raises(IncompatibleRelease) as caught:
        await release(w, *new)
    message = str(caught.value)
    assert message.startswith(
        f"1 saga of orders in flight would be stranded by this release: Tour 1 ({identity}): {reason}"
    )
    assert message.endswith("until they have ended, or cancel them there with `ramet sagas cancel`.")
    await w.crash()
    await release(w, OLD)
    await w.run()
    assert await w.status(identity) == "completed"


async def test_a_group_that_was_reached_takes_no_new_member(world: MakeWorld) -> None:
    group = [call("a", parallel="p"), call("b", parallel="p")]
    w, _ = await in_flight(world, saga(*group), "b")
    with pytest.raises(IncompatibleRelease, match='the step "c" was put into a parallel group that it has reached'):
        await release(w, saga(*group, call("c", parallel="p")))


async def test_a_saga_that_goes_back_needs_its_undos_alone(world: MakeWorld) -> None:
    w = await world(OLD)
    w.there.plan("b.go", "refused")
    w.there.plan("a.back", "hangs")
    identity = await w.start(OLD, "1", State())
    await w.run()
    await w.crash()
    with pytest.raises(IncompatibleRelease, match='the undo of its step "a" is gone'):
        await release(w, saga(call("a"), call("z")))
    await w.crash()
    await release(w, saga(call("a", undo=True), call("z")))
    await w.run()
    assert await w.status(identity) == "compensated"


async def test_ten_are_named_and_the_rest_counted(world: MakeWorld) -> None:
    w = await world(OLD)
    w.there.plan("a.go", *["hangs"] * 12)
    for number in range(12):
        await w.start(OLD, str(number), State())
    await w.run()
    await w.crash()
    with pytest.raises(IncompatibleRelease, match=r"^12 sagas of orders .*; and 2 more\. Deploy") as caught:
        await release(w)
    assert len(caught.value.stranded) == 12
    await w.crash()
    await release(w, OLD)


async def test_sagas_that_have_ended_strand_nobody(world: MakeWorld) -> None:
    w = await world(OLD)
    identity = await w.start(OLD, "1", State())
    await w.run()
    await w.crash()
    await release(w)
    assert await w.status(identity) == "completed"
