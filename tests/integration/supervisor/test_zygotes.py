"""Replicas are forked from a process that has loaded the application; where that cannot be, they are spawned."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from ramet.runtime.supervisor.operations import SupervisorOperations
from ramet.runtime.supervisor.requests import RestartGroups
from tests.integration.supervisor.conftest import REST, placed
from tests.integration.supervisor.test_exchange import Load, port_of

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a fork is unsafe, and replicas are spawned"),
    pytest.mark.parametrize("held", [True], ids=["forked"], indirect=True),
]


async def loaders(one: Any, count: int) -> list[str]:
    """Which processes have loaded the first so many replicas."""
    words = "was loaded by "
    await one.until(lambda: sum(words in line for line in one.said) >= count)
    return [line.partition(words)[2] for line in one.said if words in line][:count]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()[1])


def name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").rstrip()


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()}


async def test_all_replicas_are_loaded_once_and_are_children_of_the_supervisor(held: Any) -> None:
    async with held() as one:
        assert len(set(await loaders(one, 3))) == 1
        pids = one.pids("edge") | one.pids("rest")
        assert {parent(pid) for pid in pids} == {os.getpid()}
        assert {os.getsid(pid) for pid in pids} == pids
        assert {name(pid) for pid in pids} == {"edge/0", "edge/1", "rest/0"}


async def test_a_restart_loads_anew_and_fails_no_request(held: Any) -> None:
    async with held() as one:
        before = set(await loaders(one, 3))
        async with Load(port_of(one)) as load:
            await SupervisorOperations(one.supervisor).answer(RestartGroups())
            await one.until(lambda: load.pids & one.pids("edge"))
        assert load.failed == []
        assert len(set((await loaders(one, 6))[3:]) - before) == 1


async def test_what_is_started_again_after_a_change_is_of_the_new_release(held: Any) -> None:
    async with held(REST) as one:
        (before,) = await loaders(one, 1)
        (one.folder / "service.py").write_text("print()", encoding="utf-8")
        os.kill(*one.pids("rest"), signal.SIGKILL)
        assert (await loaders(one, 2))[1] != before


async def test_a_zygote_that_is_killed_is_missed_by_nobody(held: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with held(REST) as one:
        (first,) = await loaders(one, 1)
        (member,) = one.members("rest")
        (before,) = one.pids("rest")
        os.kill(int(first), signal.SIGKILL)
        await one.until(lambda: not Path(f"/proc/{first}/exe").exists())
        assert (member.state, one.pids("rest")) == ("ready", {before})
        os.kill(before, signal.SIGKILL)
        (spawned,) = (await loaders(one, 2))[1:]
        await one.until(lambda: member.state == "ready")
        assert {int(spawned)} == one.pids("rest")
        assert "The zygote is given up" in caplog.text
        os.kill(int(spawned), signal.SIGKILL)
        await one.until(lambda: member.state == "ready" and one.pids("rest") != {int(spawned)})
        assert {int((await loaders(one, 3))[2])}.isdisjoint(one.pids("rest"))


async def test_one_that_is_frozen_is_soon_given_up_and_a_fresh_one_forks(
    held: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with held() as one:
        (frozen,) = set(await loaders(one, 3))
        before = one.pids("edge")
        os.kill(int(frozen), signal.SIGSTOP)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await one.until(lambda: not one.pids("edge") & before and one.supervisor.keepers["edge"].ready == 2)
        assert "The zygote is given up, and this replica is spawned: it did not answer within 0.5 s." in caplog.text
        fresh = set((await loaders(one, 5))[3:])
        assert len(fresh) == 2  # one has loaded for itself, the other was forked
        assert frozen not in fresh
        assert len({int(pid) for pid in fresh} & one.pids("edge")) == 1
        await one.until(lambda: not Path(f"/proc/{frozen}/exe").exists())


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("thread", "it has started threads"),
        ("process", "it has started a process"),
        ("file", r"it has opened /.*/behaviour"),
        ("crash", "it has ended"),
    ],
)
async def test_where_a_fork_would_be_unsafe_replicas_are_spawned(
    held: Any, caplog: pytest.LogCaptureFixture, what: str, why: str
) -> None:
    with caplog.at_level(logging.WARNING, "ramet.supervisor"):
        async with held(behaviour=(f"zygote={what}",)) as one:
            assert {int(pid) for pid in await loaders(one, 3)} == one.pids("edge") | one.pids("rest")
            told = [record.getMessage() for record in caplog.records if "spawned" in record.getMessage()]
    assert len(told) == 1
    assert re.search(why, told[0])


async def test_many_start_and_end_and_nothing_is_left(held: Any) -> None:
    async with held(placed("rest", 12)) as one:
        pids = one.pids("rest")
        assert len(pids) == 12
    assert not pids & children()
