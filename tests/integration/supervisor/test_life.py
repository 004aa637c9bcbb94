"""Replicas are kept alive: killed, frozen and crashing ones are replaced or given up, and everybody is told at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, Unavailable
from ramet.model.topology import Deployment
from ramet.runtime.operators.requests import GetStatus, Status
from ramet.runtime.supervisor.asking import ask
from ramet.runtime.supervisor.operations import SupervisorOperations
from ramet.runtime.supervisor.patience import AWAY, REFUSED
from ramet.runtime.supervisor.requests import RestartGroups, ScaleGroup, StopGroup
from tests.integration.supervisor.conftest import HOW, PATIENCE_SECONDS, QUICK, REST, placed


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_every_replica_is_ready_and_every_other_hears_of_it(held: Any) -> None:
    async with held() as one:
        assert [member.state for member in (*one.members("edge"), *one.members("rest"))] == ["ready"] * 3
        await one.until(lambda: {"edge/0 sees rest 1", "edge/1 sees rest 1", "rest/0 sees edge 2"} <= set(one.said))
        pids = one.pids("edge") | one.pids("rest")
    assert not [pid for pid in pids if lives(pid)]


async def test_a_killed_replica_is_replaced_and_withdrawn_at_once(held: Any) -> None:
    async with held() as one:
        (member,) = one.members("rest")
        (before,) = one.pids("rest")
        os.kill(before, signal.SIGKILL)
        await one.until(lambda: "edge/0 sees rest 0" in one.said[4:] or member.restarts)
        await one.until(lambda: member.state == "ready" and one.pids("rest") != {before})
        assert member.restarts == 1
        await one.until(lambda: one.said.count("edge/0 sees rest 1") == 2)


async def test_a_frozen_replica_is_sent_nothing_more_then_killed_and_replaced(held: Any) -> None:
    async with held() as one:
        (member,) = one.members("rest")
        (before,) = one.pids("rest")
        os.kill(before, signal.SIGSTOP)
        await one.until(lambda: member.state == "silent")
        assert one.supervisor.keepers["rest"].endpoints == ()
        await one.until(lambda: member.state == "ready" and one.pids("rest") != {before})
        assert not lives(before)


async def test_a_replica_that_was_frozen_for_a_moment_is_used_again(held: Any) -> None:
    async with held() as one:
        (member,) = one.members("rest")
        (before,) = one.pids("rest")
        os.kill(before, signal.SIGSTOP)
        await one.until(lambda: member.state == "silent")
        os.kill(before, signal.SIGCONT)
        await one.until(lambda: member.state == "ready")
        assert one.pids("rest") == {before}
        assert len(one.supervisor.keepers["rest"].endpoints) == 1


async def test_a_crash_loop_ends_and_a_restart_brings_it_back(held: Any) -> None:
    async with held(behaviour=("rest=crash",)) as one:
        (member,) = one.members("rest")
        await one.until(lambda: member.state == "crashed")
        assert member.error == "ended with code 1, 3 times in a row"
        operations = SupervisorOperations(one.supervisor)
        status = await operations.status(GetStatus())
        assert [(group.name, group.ready) for group in status.groups] == [("edge", 2), ("rest", 0)]
        one.behave()
        await operations.answer(RestartGroups(group="rest"))
        assert [member.state for member in one.members("rest")] == ["ready"]


async def test_a_replica_that_is_refused_is_given_up_sooner_with_its_sentence(held: Any) -> None:
    async with held(REST, behaviour=(f"rest={REFUSED}",)) as one:
        (member,) = await one.supervisor.decided()
        assert (member.state, member.restarts) == ("crashed", 1)
        assert member.error == "failed, 2 times in a row: It is not to be"


async def test_a_replica_that_needs_somebody_who_is_away_is_tried_until_it_is_ready(held: Any) -> None:
    async with held(REST, behaviour=(f"rest={AWAY}",)) as one:
        (member,) = one.members("rest")
        await one.until(lambda: member.restarts > 2 * QUICK.attempts)
        assert member.error == "failed: It is not to be"
        one.behave()
        assert await one.supervisor.decided() == []
        assert member.state == "ready"


async def test_a_start_that_hangs_holds_up_neither_a_restart_nor_a_stop(held: Any) -> None:
    async with held(REST) as one:
        operations = SupervisorOperations(one.supervisor)
        before = one.pids("rest")
        one.behave("rest=hang")
        hanging = one.supervisor.tasks.spawn(operations.answer(RestartGroups(group="rest")))
        await one.until(lambda: "rest/1 hangs" in one.said)
        one.behave()
        await operations.answer(RestartGroups(group="rest"))
        with pytest.raises(Unavailable, match="rest/1 was not ready when another change of its group was asked for"):
            await hanging
        (member,) = one.members("rest")
        assert (member.state, one.pids("rest") & before) == ("ready", set())
        one.behave("rest=hang")
        hanging = one.supervisor.tasks.spawn(operations.answer(RestartGroups(group="rest")))
        await one.until(lambda: one.said.count("rest/1 hangs") + one.said.count("rest/0 hangs") == 2)
        await operations.answer(StopGroup(group="rest"))
        with pytest.raises(Unavailable):
            await hanging
        assert one.members("rest") == []


async def test_a_start_that_blocks_is_killed_soon_when_it_is_to_end(held: Any) -> None:
    async with held(REST) as one:
        one.behave("rest=block")
        blocking = one.supervisor.tasks.spawn(one.supervisor.keepers["rest"].scale(2))
        await one.until(lambda: "rest/1 blocks" in one.said)
        assert await one.supervisor.keepers["rest"].stop() == 2
        with pytest.raises(Unavailable):
            await blocking


async def test_starts_that_hang_keep_no_others_from_starting(held: Any) -> None:
    most = 2 * (os.cpu_count() or 1)
    async with held(REST, placed("edge")) as one:
        one.behave("rest=hang")
        hanging = one.supervisor.tasks.spawn(one.supervisor.keepers["rest"].scale(1 + 2 * most))
        await one.until(lambda: sum(line.endswith("hangs") for line in one.said) >= most)
        assert await one.supervisor.keepers["edge"].restart() == 1
        await one.supervisor.keepers["rest"].stop()
        with pytest.raises(Unavailable):
            await hanging


async def test_a_wrong_configuration_is_not_tried_again(held: Any) -> None:
    async with held(REST, behaviour=("rest=refuse",)) as one:
        (member,) = one.members("rest")
        assert (member.state, member.error, member.restarts) == ("crashed", "ended with code 2", 0)
        assert one.supervisor.keepers["rest"].endpoints is None


async def test_a_stopped_group_stays_so_until_it_is_restarted(held: Any) -> None:
    async with held() as one:
        operations = SupervisorOperations(one.supervisor)
        before = one.pids("edge")
        assert (await operations.answer(StopGroup(group="edge"))).groups == {"edge": 2}
        assert (one.members("edge"), [pid for pid in before if lives(pid)]) == ([], [])
        assert one.supervisor.keepers["edge"].endpoints is None
        assert (await operations.answer(RestartGroups(group="edge"))).groups == {"edge": 2}
        assert len(one.supervisor.keepers["edge"].endpoints) == 2


async def test_a_group_that_is_scaled_to_none_stays_so_when_it_is_restarted(held: Any) -> None:
    async with held() as one:
        operations = SupervisorOperations(one.supervisor)
        await operations.answer(ScaleGroup(group="edge", replicas=0))
        assert (await operations.answer(RestartGroups(group="edge"))).groups == {"edge": 0}
        assert (one.members("edge"), one.supervisor.keepers["edge"].endpoints) == ([], None)
        await operations.answer(ScaleGroup(group="edge", replicas=1))
        await operations.answer(StopGroup(group="edge"))
        assert (await operations.answer(RestartGroups(group="edge"))).groups == {"edge": 1}


async def test_operators_reach_the_supervisor_through_its_socket(held: Any) -> None:
    async with held() as one:
        status = await ask(one.folder / ".ramet" / "split", GetStatus(), Status)
        assert (status.application, status.deployment, status.pid) == ("x", "split", os.getpid())
        assert [len(group.replicas) for group in status.groups] == [2, 1]
        (address,) = status.addresses
        assert address.url == f"{one.supervisor.url('edge')}/api"


async def test_what_replicas_say_is_kept_with_their_names(held: Any) -> None:
    async with held() as one:
        await one.until(lambda: "edge/0 sees rest 1" in one.said)
        text = (one.folder / ".ramet" / "split" / "logs" / "edge.log").read_text(encoding="utf-8")
    assert "edge/0 | sees rest 1\n" in text


async def test_an_engine_that_does_not_answer_is_one_sentence(held: Any) -> None:
    deployment = Deployment(name="split", data=".ramet/split", storage="postgresql://u:pw@127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"^PostgreSQL does not answer at postgresql://u:\*\*\*\*@127.0.0.1:1"):
        async with held(REST, deployment=deployment):
            pass


async def test_many_groups_start_together(held: Any) -> None:
    async with held(*(placed(f"g{number}") for number in range(12))) as one:
        assert all(keeper.ready == 1 for keeper in one.supervisor.keepers.values())


@pytest.mark.parametrize("forks", HOW)
async def test_replicas_end_with_a_supervisor_that_is_killed(tmp_path: Path, forks: bool) -> None:
    program, how = Path(__file__).with_name("program.py"), "forked" if forks else "spawned"
    process = await asyncio.create_subprocess_exec(sys.executable, program, tmp_path, how, stdout=subprocess.PIPE)
    assert process.stdout is not None
    pids = [int(pid) for pid in (await process.stdout.readline()).split()]
    assert len(pids) == 2
    process.kill()
    await process.wait()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(runs(pid) for pid in pids):
            await SystemClock().sleep(0.01)


def runs(pid: int) -> bool:
    """Whether it executes anything: what nobody waits for stays in the table of processes."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2]
    except FileNotFoundError:
        return False
    return state[0] not in "ZX"
