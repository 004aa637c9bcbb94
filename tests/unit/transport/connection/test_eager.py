"""Coroutines that are driven without a task until they wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import pytest

from ramet.tasks import Tasks
from ramet.telemetry.context import Context, current_context
from ramet.transport.connection.eager import Eager, StandIn

CONTEXT = Context.root("e")
variable: ContextVar[str] = ContextVar("variable", default="outside")


class Bed:
    """Starts work and keeps what becomes of it."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.spawned = 0
        self.eager = Eager(self.spawn, asyncio.get_running_loop())

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        self.spawned += 1
        return self.tasks.spawn(work)

    def start(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> StandIn | None:
        async def kept() -> None:
            current_context.set(CONTEXT)
            try:
                result = await work()
            except BaseException as error:
                self.result.set_exception(error)
                raise
            self.result.set_result(result)

        with self.eager:
            return self.eager.start(kept())


@pytest.fixture
async def bed() -> Bed:
    return Bed()


async def in_callback(bed: Bed, work: Callable[[], Coroutine[Any, Any, Any]]) -> StandIn | None:
    """As a connection starts it: in a callback, where there is no task."""
    started: asyncio.Future[StandIn | None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: started.set_result(bed.start(work)))
    return await started


async def test_what_does_not_wait_has_ended_at_once_and_without_a_task(bed: Bed) -> None:
    async def work() -> Context | None:
        return current_context.get()

    assert await in_callback(bed, work) is None
    assert bed.result.result() is CONTEXT
    assert bed.spawned == 0


async def test_what_waits_goes_on_in_a_task(bed: Bed) -> None:
    gate = asyncio.Event()

    async def work() -> str:
        await asyncio.sleep(0)
        await gate.wait()
        await asyncio.sleep(0)
        return "done"

    assert await in_callback(bed, work) is not None
    assert bed.spawned == 1
    gate.set()
    assert await bed.result == "done"


async def test_nothing_is_left_of_it_outside(bed: Bed) -> None:
    async def work() -> None:
        variable.set("inside")
        await asyncio.sleep(0)
        variable.set("still inside")

    own = asyncio.current_task()
    await in_callback(bed, work)
    await bed.result
    assert asyncio.current_task() is own
    assert variable.get() == "outside"
    assert current_context.get() is None


async def test_variables_can_be_reset_on_the_other_side_of_a_wait(bed: Bed) -> None:
    async def work() -> tuple[str, str, Context | None]:
        token = variable.set("inside")
        await asyncio.sleep(0)
        inside = variable.get()
        variable.reset(token)
        return inside, variable.get(), current_context.get()

    await in_callback(bed, work)
    assert await bed.result == ("inside", "outside", CONTEXT)


async def test_the_current_task_is_the_same_on_both_sides_of_a_wait(bed: Bed) -> None:
    async def work() -> bool:
        before = asyncio.current_task()
        await asyncio.sleep(0)
        return before is not None and before is asyncio.current_task()

    await in_callback(bed, work)
    assert await bed.result


async def test_a_timeout_that_began_before_the_first_wait_ends_it(bed: Bed) -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "never"

    await in_callback(bed, work)
    assert await bed.result == "timed out"


async def test_a_task_group_that_began_before_the_first_wait_ends_when_a_child_fails(bed: Bed) -> None:
    async def child() -> None:
        await asyncio.sleep(0)
        raise ValueError("the child")

    async def work() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(child())
                await asyncio.Event().wait()
        except* ValueError:
            pass
        await asyncio.sleep(0)
        return "went on"

    await in_callback(bed, work)
    assert await bed.result == "went on"


@pytest.mark.parametrize("turns", [0, 1, 5])
async def test_a_cancellation_arrives_whenever_it_comes(bed: Bed, turns: int) -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cleaned.append("cleaned up")
            raise

    def begin() -> None:
        started = bed.start(work)
        assert started is not None
        later(turns, started.cancel)

    def later(count: int, what: Callable[[], object]) -> None:
        if count:
            asyncio.get_running_loop().call_soon(later, count - 1, what)
        else:
            what()

    asyncio.get_running_loop().call_soon(begin)
    with pytest.raises(asyncio.CancelledError):
        await bed.result
    assert cleaned == ["cleaned up"]


async def test_who_cancels_himself_before_the_first_wait_is_cancelled_there(bed: Bed) -> None:
    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        assert task.cancelling() == 1
        await asyncio.Event().wait()

    await in_callback(bed, work)
    with pytest.raises(asyncio.CancelledError):
        await bed.result


async def waits_with_others(shared: asyncio.Future[str]) -> str:
    return await shared


async def cancels_itself_and_takes_it_back(_: object) -> list[str]:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("by itself")
    task.uncancel()
    seen = []
    for _ in range(2):
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            seen.append(str(error))
    return seen


async def asks_about_itself(_: object) -> tuple[str, bool, int]:
    task = asyncio.current_task()
    assert task is not None
    task.set_name("its own")
    task.add_done_callback(lambda _: None)
    return task.get_name(), task.done(), task.cancelling()


async def is_awaited_by_a_child(_: object) -> bool:
    task = asyncio.current_task()
    assert task is not None

    async def waits() -> None:
        await task

    child = asyncio.create_task(waits())
    await asyncio.sleep(0)
    return child.done()


async def moves_on_at_once(_: object) -> tuple[bool, int]:
    with anyio.move_on_after(0) as scope:
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    return scope.cancelled_caught, task.cancelling()


async def cancels_its_scope(_: object) -> tuple[bool, bool]:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep_forever)
        group.cancel_scope.cancel()
    return group.cancel_scope.cancelled_caught, anyio.get_current_task().has_pending_cancellation()


@pytest.mark.parametrize(
    "work",
    [
        waits_with_others,
        cancels_itself_and_takes_it_back,
        asks_about_itself,
        is_awaited_by_a_child,
        moves_on_at_once,
        cancels_its_scope,
    ],
)
async def test_those_that_begin_together_do_as_they_do_in_tasks(
    bed: Bed, work: Callable[[asyncio.Future[str]], Coroutine[Any, Any, object]]
) -> None:
    loop = asyncio.get_running_loop()

    async def kept(result: asyncio.Future[object], shared: asyncio.Future[str]) -> None:
        try:
            result.set_result(await work(shared))
        except BaseException as error:  # noqa: BLE001 - it is what became of it
            result.set_exception(error)

    async def became(begin: Callable[[list[Coroutine[Any, Any, None]]], object]) -> list[object]:
        shared: asyncio.Future[str] = loop.create_future()
        results: list[asyncio.Future[object]] = [loop.create_future() for _ in range(3)]
        loop.call_soon(begin, [kept(result, shared) for result in results])
        loop.call_soon(loop.call_soon, shared.set_result, "theirs")
        return await asyncio.gather(*results)

    def as_they_come(works: list[Coroutine[Any, Any, None]]) -> None:
        with bed.eager:
            for each in works:
                bed.eager.start(each)

    def in_tasks(works: list[Coroutine[Any, Any, None]]) -> None:
        for each in works:
            bed.tasks.spawn(each)

    assert await became(as_they_come) == await became(in_tasks)


async def one_after_the_other(bed: Bed, *works: Callable[[], Coroutine[Any, Any, None]]) -> list[StandIn | None]:
    """As those that have come together are started."""

    def begin() -> list[StandIn | None]:
        with bed.eager:
            return [bed.eager.start(work()) for work in works]

    started: asyncio.Future[list[StandIn | None]] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: started.set_result(begin()))
    return await started


async def test_those_that_do_not_wait_have_the_same_stand_in_and_one_that_waits_keeps_its_own(bed: Bed) -> None:
    seen: list[int] = []

    async def at_once() -> None:
        seen.append(id(asyncio.current_task()))

    async def waits() -> None:
        seen.append(id(asyncio.current_task()))
        await asyncio.sleep(0)
        seen.append(id(asyncio.current_task()))

    _, _, waiting, _ = await one_after_the_other(bed, at_once, at_once, waits, at_once)
    one, two, three, four = seen
    assert one == two == three == id(waiting)
    assert four != three
    assert waiting is not None
    assert waiting.task is not None
    await waiting.task
    assert seen[4] == three


async def test_who_ends_at_once_leaves_nothing_to_those_that_come_after_it(bed: Bed) -> None:
    kept: list[asyncio.Task[Any] | None] = []
    went_on: list[str] = []

    async def cancels_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    async def is_kept() -> None:
        kept.append(asyncio.current_task())

    async def waits() -> None:
        await asyncio.sleep(0)
        went_on.append("went on")

    _, first, _, second = await one_after_the_other(bed, cancels_itself, waits, is_kept, waits)
    (task,) = kept
    assert task is not None
    task.cancel()
    for started in (first, second):
        assert started is not None
        assert started.task is not None
        await started.task
    assert went_on == ["went on", "went on"]


async def test_what_one_has_noted_about_its_task_is_not_told_to_the_next(bed: Bed) -> None:
    noted: WeakKeyDictionary[asyncio.Task[Any] | None, str] = WeakKeyDictionary()
    found: list[str | None] = []

    async def notes_by_the_side() -> None:
        noted[asyncio.current_task()] = "its own"

    async def notes_on_it() -> None:
        asyncio.current_task().user = "its own"  # type: ignore[union-attr]  # which a task takes

    async def looks() -> None:
        found.append(noted.get(asyncio.current_task()))
        found.append(getattr(asyncio.current_task(), "user", None))

    await one_after_the_other(bed, notes_by_the_side, looks, notes_on_it, looks)
    assert found == [None] * 4


async def test_what_fails_at_once_is_nobody_elses_failure(bed: Bed) -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    assert await in_callback(bed, work) is None
    assert bed.result.cancelled() or isinstance(bed.result.exception(), asyncio.CancelledError)
