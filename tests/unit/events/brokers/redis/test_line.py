"""What becomes of commands whose connection goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytest.importorskip("redis", reason="pip install ramet[redis]")

from ramet.clock import VirtualClock
from ramet.events.brokers.loops import persist
from ramet.events.brokers.redis.line import FAILURES, Line, Pipe
from ramet.events.brokers.redis.options import RedisOptions
from ramet.tasks import Tasks


class Scripted:
    """A line whose answers are given: an error is raised, anything else is the answer to each command."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._answers = list(answers)

    async def ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        self.asked.append(commands)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [answer for _ in commands]


@asynccontextmanager
async def piped(line: Scripted, options: RedisOptions) -> AsyncIterator[tuple[Pipe, VirtualClock, list[str]]]:
    clock, tasks, told = VirtualClock(), Tasks(), list[str]()
    pipe = Pipe(options, clock, lost=lambda _: told.append("lost"), back=lambda: told.append("back"), confirmed=True)
    pipe._line = line  # type: ignore[assignment]  # as much of a line as is used
    tasks.spawn(persist(pipe.run, clock=clock, log=logging.getLogger("test")))
    try:
        yield pipe, clock, told
    finally:
        await tasks.stop()


async def test_what_gathers_travels_together() -> None:
    async with piped(line := Scripted("done"), RedisOptions()) as (pipe, _, _):
        assert await asyncio.gather(pipe.send("A"), pipe.send("B", 1)) == ["done", "done"]
    assert line.asked == [(("A",), ("B", 1))]


async def test_without_a_connection_commands_fail_at_once_until_there_is_one() -> None:
    line = Scripted(ConnectionError("cut"), TimeoutError(), "PONG", "done")
    async with piped(line, RedisOptions()) as (pipe, clock, told):
        for _ in range(2):
            with pytest.raises(FAILURES):
                await pipe.send("A")
        await clock.advance(2)
        assert told == ["lost", "back"]
        assert await pipe.send("A") == "done"


async def test_a_library_that_stumbles_while_there_is_no_connection_stops_nothing() -> None:
    line = Scripted(ConnectionError("cut"), RuntimeError("it stumbles"), "PONG", "done")
    async with piped(line, RedisOptions()) as (pipe, clock, told):
        with pytest.raises(FAILURES):
            await pipe.send("A")
        await clock.advance(5)
        assert told == ["lost", "back"]
        assert await pipe.send("A") == "done"


async def test_a_lot_is_answered_when_enough_servers_have_it() -> None:
    line = Scripted([1, 0], [1, 0], [1, 1])
    async with piped(line, RedisOptions(sync="wait", replicas=1)) as (pipe, _, _):
        assert await pipe.send("A") == [1, 0]
    question = ("WAITAOF", 1, 1, 5000)
    assert line.asked == [(("A",), question), (question,), (question,)]


class Gone:
    """A connection whose transport is gone, and which does not know it yet: so uvloop says it."""

    is_connected = True

    async def connect(self) -> None:
        pass

    def pack_commands(self, commands: Any) -> Any:
        return commands

    async def send_packed_command(self, commands: Any, *, check_health: bool) -> None:
        raise RuntimeError("unable to perform operation; the handler is closed")

    async def disconnect(self, *, nowait: bool) -> None:
        self.is_connected = False


async def test_what_the_event_loop_says_of_a_lost_connection_is_a_failure_as_others_are() -> None:
    line, connection = Line(RedisOptions()), Gone()
    line._connection = connection  # type: ignore[assignment]  # as much of a connection as is used
    with pytest.raises(FAILURES):
        await line.ask(("PING",))
    assert not connection.is_connected
