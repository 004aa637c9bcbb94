"""A deadline and a key hold for the calls in their block, and for nothing else."""

from __future__ import annotations

import asyncio

import pytest

from ramet import calling
from ramet.contract.calling import given_key
from ramet.errors import DeadlineExceeded, OutcomeUnknown
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.scope import Committed, Scope, Work, current_scope


async def test_a_key_holds_inside_its_block() -> None:
    assert given_key() is None
    async with calling(key="outer"):
        assert given_key() == "outer"
        async with calling(key="inner"):
            assert given_key() == "inner"
        async with calling(timeout="5s"):
            assert given_key() == "outer"
    assert given_key() is None


async def test_a_key_does_not_reach_into_the_work_that_is_called() -> None:
    async with calling(key="k"):
        token = current_scope.set(Scope("stock", Work.COMMAND, "reserve", "k"))
        try:
            assert given_key() is None
        finally:
            current_scope.reset(token)
        assert given_key() == "k"


async def test_time_that_is_up_is_said() -> None:
    with pytest.raises(DeadlineExceeded, match=r"The calls were not answered within 0\.01 s\."):
        async with calling(timeout="10ms"):
            await asyncio.get_running_loop().create_future()


async def test_that_a_command_was_being_committed_just_then_is_said() -> None:
    async def command() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            raise asyncio.CancelledError(Committed("done")) from None

    with pytest.raises(OutcomeUnknown, match="A command was executed"):
        async with calling(timeout="10ms"):
            await command()


async def test_a_timeout_of_the_block_itself_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError, match="mine"):
        async with calling(timeout="5s"):
            raise TimeoutError("mine")


async def test_the_deadline_of_the_context_becomes_shorter_and_never_longer() -> None:
    now = asyncio.get_running_loop().time()
    token = current_context.set(Context(execution="e", trace="t", deadline=now + 10))
    try:
        async with calling(timeout=5):
            shorter = current_context.get()
            assert shorter is not None
            assert now + 4 < shorter.deadline < now + 9
        async with calling(timeout="1h"):
            same = current_context.get()
            assert same is not None
            assert same.deadline == now + 10
        assert current_context.get().deadline == now + 10  # type: ignore[union-attr]  # as set above
    finally:
        current_context.reset(token)


async def test_a_wrong_duration_is_said() -> None:
    with pytest.raises(ValueError, match='"soon" is not a duration'):
        async with calling(timeout="soon"):
            pass
