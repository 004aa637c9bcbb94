"""Replicas are exchanged, added and taken away without a request that fails."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from ramet.errors import ConfigurationError, NotFound, Unavailable, UsageError
from ramet.runtime.operators.requests import GetStatus, ServiceSaga
from ramet.runtime.supervisor.operations import SupervisorOperations
from ramet.runtime.supervisor.requests import RestartGroups, ScaleGroup, StopGroup
from ramet.sagas.progress import Status
from ramet.sagas.views import SagaSummary
from ramet.tasks import Tasks


async def get(port: int) -> str:
    """One request on a connection of its own; the body, or what went wrong."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    except OSError as error:
        return repr(error)
    return answer.partition(b"\r\n\r\n")[2].decode() if answer.startswith(b"HTTP/1.1 200") else repr(answer)


class Load:
    """Requests without a pause, from several clients."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks = Tasks()
        self._first = asyncio.Event()
        self._ending = False
        self._asking: list[asyncio.Task[None]] = []
        self.answers: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._asking = [self._tasks.spawn(self._ask()) for _ in range(4)]
        await self._first.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending = True
        await asyncio.wait(self._asking)

    async def _ask(self) -> None:
        while not self._ending:
            self.answers[await get(self._port)] += 1
            self._first.set()

    @property
    def failed(self) -> list[str]:
        return [answer for answer in self.answers if not answer.startswith("edge/")]

    @property
    def pids(self) -> set[int]:
        return {int(answer.split()[1]) for answer in self.answers if answer.startswith("edge/")}


def port_of(one: Any) -> int:
    return int(one.supervisor.url("edge").rpartition(":")[2])


@pytest.mark.parametrize("blue_green", [False, True])
async def test_no_request_fails_while_a_group_is_exchanged(held: Any, blue_green: bool) -> None:
    async with held() as one:
        before = one.pids("edge")
        async with Load(port_of(one)) as load:
            await SupervisorOperations(one.supervisor).answer(RestartGroups(group="edge", blue_green=blue_green))
            await one.until(lambda: load.pids & one.pids("edge"))
        assert load.failed == []
        assert not before & one.pids("edge")
        assert len(one.supervisor.keepers["edge"].endpoints) == 2


@pytest.mark.parametrize("blue_green", [False, True])
async def test_there_are_never_fewer_than_wanted_while_a_group_is_exchanged(held: Any, blue_green: bool) -> None:
    async with held() as one:
        seen: list[int] = []
        publish = one.supervisor._hub.publish

        def watched(groups: Any) -> None:
            seen.extend(len(found or ()) for name, found in groups.items() if name == "edge")
            publish(groups)

        one.supervisor._hub.publish = watched
        await SupervisorOperations(one.supervisor).answer(RestartGroups(group="edge", blue_green=blue_green))
        assert min(seen) == 2
        assert max(seen) == (2 if blue_green else 3)


async def test_a_new_release_that_does_not_start_leaves_the_old_one(held: Any) -> None:
    async with held() as one:
        before = one.pids("edge")
        one.behave("edge=crash")
        async with Load(port_of(one)) as load:
            with pytest.raises(Unavailable, match="The new replica edge/2 ended with code 1"):
                await SupervisorOperations(one.supervisor).answer(RestartGroups(group="edge"))
        assert (load.failed, one.pids("edge")) == ([], before)


async def test_an_exchange_that_has_stranded_sagas_says_so(held: Any) -> None:
    began = datetime.fromtimestamp(0, UTC)
    saga = SagaSummary(
        id="17", name="Baking", key="rye", status=Status.STRANDED, at="rise", started=began, error="has no such step"
    )

    async def stranded(group: str) -> tuple[ServiceSaga, ...]:
        return (ServiceSaga(service="rest", saga=saga),) if group == "rest" else ()

    async with held() as one:
        operations = SupervisorOperations(one.supervisor)
        operations._replicas.stranded = stranded
        assert (await operations.answer(RestartGroups(group="edge"))).groups == {"edge": 2}
        with pytest.raises(
            ConfigurationError, match=r"strand 1 .* Baking rye \(17\), at rise: has no such step\. `ramet"
        ):
            await operations.answer(RestartGroups())


async def test_a_stopped_group_that_does_not_start_is_stopped_still(held: Any) -> None:
    async with held() as one:
        operations = SupervisorOperations(one.supervisor)
        await operations.answer(StopGroup(group="edge"))
        one.behave("edge=crash")
        with pytest.raises(Unavailable, match="ended with code 1"):
            await operations.answer(RestartGroups(group="edge"))
        assert one.supervisor.keeper("edge").endpoints is None


async def test_a_changed_file_is_another_version(held: Any) -> None:
    async with held() as one:
        (before,) = (member.version for member in one.members("rest"))
        (one.folder / "service.py").write_text("print()", encoding="utf-8")
        await SupervisorOperations(one.supervisor).answer(RestartGroups(group="rest"))
        (after,) = (member.version for member in one.members("rest"))
        assert before != after


async def test_a_group_grows_and_shrinks(held: Any) -> None:
    async with held() as one:
        operations = SupervisorOperations(one.supervisor)
        async with Load(port_of(one)) as load:
            assert (await operations.answer(ScaleGroup(group="edge", replicas=4))).groups == {"edge": 2}
            assert len(one.supervisor.keepers["edge"].endpoints) == 4
            assert (await operations.answer(ScaleGroup(group="edge", replicas=1))).groups == {"edge": 3}
            assert len(one.pids("edge")) == 1
        assert load.failed == []


async def test_what_cannot_be_scaled_is_refused(held: Any) -> None:
    async with held() as one:
        operations = SupervisorOperations(one.supervisor)
        with pytest.raises(NotFound, match=r'There is no group "moon"; there are edge, rest\.'):
            await operations.answer(ScaleGroup(group="moon", replicas=1))
        one.supervisor.keepers["rest"].is_exclusive = True
        with pytest.raises(UsageError, match="rest cannot have two replicas"):
            await operations.answer(ScaleGroup(group="rest", replicas=2))


async def test_what_only_one_process_can_have_is_handed_over(held: Any) -> None:
    async with held() as one:
        one.supervisor.keepers["edge"].is_exclusive = True
        before = one.pids("edge")
        async with Load(port_of(one)) as load:
            await SupervisorOperations(one.supervisor).answer(RestartGroups(group="edge"))
        assert load.failed == []  # they wait on the socket, which stays open
        assert not before & one.pids("edge")


async def counted(one: Any) -> int:
    status = await SupervisorOperations(one.supervisor).status(GetStatus())
    return sum(call.calls for call in status.traffic)


async def test_what_replicas_had_counted_stays_when_they_have_gone(held: Any) -> None:
    async with held() as one:
        async with Load(port_of(one)) as load:
            await one.supervisor.keepers["edge"].restart()
        await one.supervisor.keepers["edge"].restart()
        answered = sum(load.answers.values())
        assert await counted(one) == answered

        await get(port_of(one))
        await one.until(lambda: any(call.calls for member in one.members("edge") for call in member.counts.traffic))
        assert await counted(one) == answered + 1
        for pid in one.pids("edge"):
            os.kill(pid, signal.SIGKILL)
        await one.until(lambda: all(member.restarts for member in one.members("edge")))
        assert await counted(one) == answered + 1
