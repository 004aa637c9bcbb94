"""A release that cannot go on with the sagas in flight takes nobody's place; what is stranded all the same is shown."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.cli.deployment import PATIENCE_SECONDS, Up, ramet
from tests.integration.supervisor.bakery import reachable
from tests.integration.supervisor.test_up import replicas, status, until

pytestmark = pytest.mark.needs("postgresql")
TOML = """
[application]
name = "bakery"
services = ["bakery"]

[deployment.split]
storage = "postgresql://127.0.0.1:1"
gateway = { listen = "127.0.0.1:0" }

[deployment.split.process.front]
services = ["counter"]

[deployment.split.process.back]
services = "*"
replicas = 2
"""
CODE = """
import asyncio
from pathlib import Path

from ramet import Api, Contract, Saga, Struct, command, get, post, step, wait


class Ovens(Contract, version="1.0.0"):
    @command
    async def bake(self, loaf: str) -> str: ...


class Baking(Saga):
    class State(Struct):
        pass

    @step
    async def knead(self, state: State) -> State:
        return state

    @wait(delay="1d")
    async def rise(self, state: State) -> State:
        return state


class OvensService(Ovens, sagas=Baking):
    async def startup(self) -> None:
        while Path("held").exists():
            Path("waits").touch()
            await asyncio.sleep(0.01)

    async def bake(self, loaf: str) -> str:
        return (await self.start(Baking, key=loaf, state=Baking.State())).id


class Counter(Api, prefix="/api", version="1.0.0"):
    ovens: Ovens

    @post("/bake/{loaf}")
    async def bake(self, loaf: str) -> str:
        return await self.ovens.bake(loaf)
"""


@pytest.fixture
def bakery() -> Iterator[Path]:
    with reachable(TOML, CODE) as folder:
        yield folder


def release(folder: Path, step: str) -> None:
    """Put a release into the folder whose sagas wait in this step."""
    (folder / "bakery.py").write_text(CODE.replace("def rise", f"def {step}"), encoding="utf-8")


def baking(folder: Path, url: str, loaf: str) -> str:
    """A saga that has come to its wait."""
    saga = httpx.post(f"{url}/api/bake/{loaf}", timeout=PATIENCE_SECONDS).json()
    until(lambda: sagas(folder, "--key", loaf)[0]["at"] == "rise")
    return saga


def sagas(folder: Path, *filters: str) -> list[dict[str, Any]]:
    found = msgspec.json.decode(ramet(folder, "sagas", "list", "-d", "split", *filters, "--json").stdout)
    return [one["saga"] for one in found]


def pids(folder: Path) -> set[int]:
    return {one["pid"] for one in replicas(folder, "back")}


def ready(folder: Path) -> set[int]:
    return {one["pid"] for one in replicas(folder, "back") if one["state"] == "ready"}


@pytest.mark.parametrize("how", [(), ("--blue-green",)])
def test_a_restart_that_would_strand_sagas_is_refused_and_changes_nothing(bakery: Path, how: tuple[str, ...]) -> None:
    with Up(bakery, "split", "--engines", "--no-reload") as process:
        url = process.ready()["url"]
        saga, before = baking(bakery, url, "rye"), pids(bakery)
        release(bakery, "proof")
        refused = ramet(bakery, "restart", "back", *how)
        reason = f'Baking rye ({saga}): where it has "rise", this release has "proof"'
        assert (refused.returncode, reason in refused.stderr) == (2, True), refused.stderr
        assert pids(bakery) == before

        release(bakery, "rise")
        assert ramet(bakery, "restart", "back", *how).stdout == "back: 2 replicas exchanged\n"
        assert not before & pids(bakery)
        assert process.stop() == 0

    release(bakery, "proof")
    with Up(bakery, "split", "--engines", "--no-reload") as process:
        assert process.ended() == 2, "nothing is to be had by trying for ever"


def test_a_saga_that_is_begun_while_the_new_release_starts_is_seen(bakery: Path) -> None:
    with Up(bakery, "split", "--engines", "--no-reload") as process, ThreadPoolExecutor() as pool:
        url = process.ready()["url"]
        before = pids(bakery)
        release(bakery, "proof")
        (bakery / "held").touch()
        asked = pool.submit(ramet, bakery, "restart", "back")
        until((bakery / "waits").exists)
        baking(bakery, url, "rye")
        (bakery / "held").unlink()
        assert (asked.result().returncode, 'has "rise"' in asked.result().stderr) == (2, True)
        assert pids(bakery) == before
        assert process.stop() == 0


def test_what_is_stranded_when_the_last_old_replica_is_killed_is_shown(bakery: Path) -> None:
    with Up(bakery, "split", "--engines", "--no-reload") as process:
        saga = baking(bakery, process.ready()["url"], "rye")
        first, last = sorted(pids(bakery))
        release(bakery, "proof")
        os.kill(first, signal.SIGKILL)
        until(lambda: len(ready(bakery) - {first}) == 2)  # both, else the last would leave nobody who could tell
        (row,) = sagas(bakery)
        assert (row["status"] in {"running", "waiting"}, row["at"], row["error"]) == (True, "rise", None)
        os.kill(last, signal.SIGKILL)
        until(lambda: sagas(bakery, "--status", "stranded"))
        (row,) = sagas(bakery)
        assert (row["id"], row["status"], row["at"]) == (saga, "stranded", "rise")
        assert row["error"].startswith('where it has "rise", this release has "proof": it waits for a process')
        (service,) = status(bakery)["services"]
        assert service["sagas"] == {"stranded": 1}
        process.kill()
