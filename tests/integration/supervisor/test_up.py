"""`ramet up` of a deployment of several processes, on SQLite, from the first start to the last end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from ramet.model.topology import Deployment
from ramet.runtime.sole import Sole
from tests.integration.cli.deployment import PATIENCE_SECONDS, Up, ramet
from tests.integration.supervisor.bakery import CODE, TOML, write_to


@pytest.fixture
def bakery(tmp_path: Path) -> Path:
    write_to(tmp_path)
    return tmp_path


def status(folder: Path) -> dict[str, Any]:
    return msgspec.json.decode(ramet(folder, "status", "-d", "split", "--json").stdout)


def shown(folder: Path) -> str:
    return ramet(folder, "status", "-d", "split").stdout


def replicas(folder: Path, group: str) -> list[dict[str, Any]]:
    return next((list(one["replicas"]) for one in status(folder)["groups"] if one["name"] == group), [])


def until(condition: Callable[[], object]) -> None:
    while not condition():
        pass


def loaves(url: str) -> int:
    answer = httpx.get(f"{url}/api/loaves", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask_without_a_pause(url: str, ending: Event, *, kept: bool) -> list[str]:
    """Requests on one connection for as long as the server keeps it, or each on one of its own; what went wrong."""
    failed, connection = [], HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    while not ending.is_set():
        try:
            connection.request("GET", "/api/loaves")
            answer = connection.getresponse()
            if (body := answer.read()) != b"12":
                failed.append(f"{answer.status}: {body!r}")
        except (OSError, HTTPException) as error:
            failed.append(repr(error))
            connection.close()
        if not kept:
            connection.close()
    connection.close()
    return failed


def test_services_apart_answer_as_they_do_together(bakery: Path) -> None:
    with Up(bakery, "split", "--no-reload") as process:
        ready = process.ready()
        assert ready["groups"] == {"front": 2, "back": 1}
        assert ready["addresses"] == [{"name": "counter", "url": f"{ready['url']}/api"}]
        assert loaves(ready["url"]) == 12
        found = status(bakery)
        assert found["pid"] == process.pid
        assert [(one["name"], one["calls"]) for one in found["services"]] == [("ovens", 1)]
        assert ramet(bakery, "call", "Ovens.bake", "-d", "split").stdout == "13\n"
        assert process.stop() == 0
    assert "not running" in ramet(bakery, "status", "-d", "split").stdout


def test_groups_are_planned_restarted_scaled_followed_and_stopped(bakery: Path) -> None:
    with Up(bakery, "split", "--no-reload") as process:
        url = process.ready()["url"]
        assert "It runs like this." in ramet(bakery, "plan", "split").stdout
        before = {one["pid"] for one in replicas(bakery, "front")}
        code = (bakery / "bakery.py").read_text(encoding="utf-8")
        (bakery / "bakery.py").write_text(code.replace("12", "24"), encoding="utf-8")
        assert "renew    back" in ramet(bakery, "plan", "split").stdout
        done = ramet(bakery, "restart")
        assert (done.returncode, done.stderr) == (0, "")
        assert loaves(url) == 24
        assert not before & {one["pid"] for one in replicas(bakery, "front")}
        assert ramet(bakery, "scale", "front", "3").stdout == "front: 3 replicas, 1 started\n"
        assert ramet(bakery, "scale", "front", "3").stdout == "front: 3 replicas, as before\n"
        assert len(replicas(bakery, "front")) == 3
        assert ramet(bakery, "scale", "back", "0").stdout == "back: 0 replicas, 1 stopped\n"
        assert "scaled to 0 replicas" in ramet(bakery, "restart", "back").stdout
        assert ramet(bakery, "scale", "back", "1").stdout == "back: 1 replica, 1 started\n"
        assert ramet(bakery, "stop", "back").stdout == "back: 1 replica stopped\n"
        assert ramet(bakery, "restart", "back").stdout == "back: 1 replica started\n"
        refused = ramet(bakery, "scale", "back", "2")
        assert (refused.returncode, "cannot have two replicas" in refused.stderr) == (2, True)
        for unknown in (("logs", "moon"), ("scale", "moon", "1"), ("restart", "moon"), ("stop", "moon")):
            assert (ramet(bakery, *unknown).returncode, unknown) == (2, unknown)
        pids = {one["pid"] for one in replicas(bakery, "front")}
        (bakery / "ramet.toml").write_text(TOML.replace("process.back", "process.rear"), encoding="utf-8")
        assert "start    rear" in ramet(bakery, "plan", "split").stdout
        refused = ramet(bakery, "restart")
        assert refused.returncode == 2
        assert "Nothing was exchanged, because ramet.toml places services otherwise than they run" in refused.stderr
        assert "`ramet stop -d split` and `ramet up split` carry that out." in refused.stderr
        assert {one["pid"] for one in replicas(bakery, "front")} == pids
        assert ramet(bakery, "stop").returncode == 0
        assert process.ended() == 0


def test_no_request_fails_while_a_group_grows_and_shrinks(bakery: Path) -> None:
    ending = Event()
    with Up(bakery, "split", "--no-reload") as process, ThreadPoolExecutor() as clients:
        url = process.ready()["url"]
        asking = [clients.submit(ask_without_a_pause, url, ending, kept=kept) for kept in (True, True, False, False)]
        try:
            for replicas in ("4", "1", "3", "1"):
                assert ramet(bakery, "scale", "front", replicas).returncode == 0
            assert ramet(bakery, "restart", "front").returncode == 0
        finally:
            ending.set()
        assert [client.result() for client in asking] == [[]] * 4
        assert process.stop() == 0


def test_a_killed_replica_comes_back_and_code_that_is_broken_stays_away(bakery: Path) -> None:
    with Up(bakery, "split", "--no-reload") as process:
        url = process.ready()["url"]
        (back,) = replicas(bakery, "back")
        os.kill(back["pid"], signal.SIGKILL)
        until(lambda: [one["state"] for one in replicas(bakery, "back") if one["restarts"] == 1] == ["ready"])
        assert loaves(url) == 12
        (back,) = replicas(bakery, "back")
        assert (back["error"], back["ended"], back["since"] >= back["ended_at"]) == ("", "was ended by SIGKILL", True)
        assert re.search(r"back/0 .* was ended by SIGKILL at .*Z, restarted$", shown(bakery), re.MULTILINE)
        (bakery / "bakery.py").write_text("broken(", encoding="utf-8")
        failed = ramet(bakery, "restart", "front")
        assert failed.returncode == 2
        assert "those that are not exchanged are as they were" in failed.stderr
        assert loaves(url) == 12
        assert process.stop() == 0


def test_a_group_that_was_stopped_names_the_way_back(bakery: Path) -> None:
    with Up(bakery, "split", "--no-reload") as process:
        url = process.ready()["url"]
        ways = {
            ("stop", "back"): ("`ramet restart back`", ("restart", "back")),
            ("scale", "back", "0"): ("`ramet scale back 1`", ("scale", "back", "1")),
        }
        for command, (told, way) in ways.items():
            assert ramet(bakery, *command).returncode == 0
            assert re.search(rf"back +stopped .*{told} starts it", shown(bakery))
            refused = ramet(bakery, "call", "Ovens.bake", "-d", "split")
            sentence = f"error: Ovens is in the group back, which is stopped: {told} starts it.\n"
            assert (refused.returncode, refused.stderr) == (1, sentence)
            assert httpx.get(f"{url}/api/loaves", timeout=PATIENCE_SECONDS).status_code == 503
            assert ramet(bakery, *way).returncode == 0
            assert ramet(bakery, "call", "Ovens.bake", "-d", "split").stdout == "13\n"
        assert process.stop() == 0


def test_a_log_is_followed_until_the_deployment_ends(bakery: Path) -> None:
    speaking = 'db: Database\n\n    async def startup(self) -> None:\n        print("kneading", flush=True)'
    (bakery / "bakery.py").write_text(CODE.replace("db: Database", speaking), encoding="utf-8")
    with Up(bakery, "split", "--no-reload") as process:
        process.ready()
        command = [sys.executable, "-m", "ramet", "logs", "--follow"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=bakery, stdout=pipe, stderr=pipe, text=True) as following:
            assert following.stdout is not None
            assert following.stderr is not None
            assert "kneading" in following.stdout.readline()
            assert process.stop() == 0
            assert following.wait(PATIENCE_SECONDS) == 0
            assert following.stderr.read() == 'The deployment "split" has ended.\n'
    late = ramet(bakery, "logs", "--follow")
    assert (late.returncode, "does not run: this is what it has said last" in late.stderr) == (0, True)


def test_mistakes_of_the_placement_are_told_before_anything_starts(bakery: Path) -> None:
    (bakery / "ramet.toml").write_text(TOML.replace('"*"', '["ovns"]\nreplicas = 2'), encoding="utf-8")
    for command in (("up", "split", "--no-reload"), ("plan", "split"), ("check",)):
        done = ramet(bakery, *command)
        assert done.returncode == (1 if command == ("check",) else 2)
        assert 'ramet.toml:14: There is no service, API or mounted application "ovns".' in done.stderr
        assert "ovens is in no group." in done.stderr


def test_a_restart_with_a_mistake_in_the_code_tells_where_it_is(bakery: Path) -> None:
    with Up(bakery, "split", "--no-reload") as process:
        url = process.ready()["url"]
        code = (bakery / "bakery.py").read_text(encoding="utf-8")
        (bakery / "bakery.py").write_text(f"{code}\nclass Oven(:\n", encoding="utf-8")
        done = ramet(bakery, "restart", "front")
        assert done.returncode == 2
        line = len(code.splitlines()) + 2
        assert re.search(rf"The new replica front/\d failed: bakery.py:{line}: .*invalid syntax", done.stderr)
        assert loaves(url) == 12


def test_who_is_asked_by_other_groups_only_has_durations_and_a_consumer_of_nobody_is_told(bakery: Path) -> None:
    with Up(bakery, "split", "--no-reload") as process:
        url = process.ready()["url"]
        with httpx.Client() as client:
            for _ in range(32):
                assert client.get(f"{url}/api/loaves", timeout=PATIENCE_SECONDS).status_code == 200
        (ovens,) = status(bakery)["services"]
        assert (ovens["calls"], ovens["p50_ms"] is not None) == (32, True)
        assert re.search(r"^service +calls .* handled +waiting", shown(bakery), re.MULTILINE)
        unknown = ramet(bakery, "events", "replay", "--consumer", "ovens.nothing")
        assert (unknown.returncode, 'There is no consumer "ovens.nothing"' in unknown.stderr) == (1, True)


def test_where_nothing_runs_that_is_said(bakery: Path) -> None:
    for command in (("restart",), ("scale", "front", "1"), ("stop",)):
        done = ramet(bakery, *command)
        assert (done.returncode, done.stderr) == (2, "error: No deployment runs: `ramet up NAME` starts it.\n")


@pytest.mark.parametrize("deployment", ["split", "local"])
def test_who_comes_while_another_still_starts_is_refused(bakery: Path, deployment: str) -> None:
    with Sole(bakery / ".ramet" / deployment, Deployment(name=deployment)), Up(bakery, deployment) as second:
        assert second.ended() == 2
        assert f"runs already, as process {os.getpid()}" in second.err.wait_for("error")


def test_settings_that_do_not_fit_are_told_before_anything_starts(bakery: Path) -> None:
    code = CODE.replace("    db: Database\n", "    db: Database\n    heat: Heat\n")
    heat = "from ramet import Settings\n\n\nclass Heat(Settings):\n    degrees: int = 200\n\n"
    (bakery / "bakery.py").write_text(heat + code, encoding="utf-8")
    (bakery / "ramet.toml").write_text(f'{TOML}\n[settings.ovens]\ndegrees = "hot"\n', encoding="utf-8")
    with Up(bakery, "split", "--no-reload") as process:
        assert process.ended() == 2
    (said,) = process.err.seen
    assert msgspec.json.decode(said)["error"]["message"].startswith("ramet.toml:17: [settings.ovens] degrees")
    assert ramet(bakery, "plan", "split").returncode == 2
    own = f'{TOML}\n[deployment.split.settings.ovens]\n\ndegrees = "hot"\n'
    (bakery / "ramet.toml").write_text(own, encoding="utf-8")
    planned = ramet(bakery, "plan", "split")
    assert planned.returncode == 2
    assert "ramet.toml:18: [deployment.split.settings.ovens] degrees in ramet.toml: " in planned.stderr


def test_a_startup_that_hangs_is_named_and_a_stop_does_not_wait_for_it(bakery: Path) -> None:
    hang = "\n    async def startup(self):\n        print('hangs')\n        await asyncio.Event().wait()\n"
    code = CODE.replace("    db: Database\n", f"    db: Database\n{hang}")
    (bakery / "bakery.py").write_text(f"import asyncio\n{code}", encoding="utf-8")
    with Up(bakery, "split", "--no-reload") as process:
        process.err.wait_for("hangs")
        assert process.stop() == 0
    limited = TOML.replace("[deployment.split]", "[deployment.split]\nstartup_seconds = 0.5")
    (bakery / "ramet.toml").write_text(limited, encoding="utf-8")
    with Up(bakery, "split", "--no-reload") as process:
        line = process.err.wait_for("The startup() of ovens hangs")
        assert "hangs at bakery.py:19, in startup: it was given up after 0.5 s (`startup_seconds` in" in line
        assert process.stop() == 0


def test_code_that_blocks_a_replica_is_named(bakery: Path) -> None:
    block = "\n    async def startup(self):\n        threading.Event().wait()\n"
    code = CODE.replace("    db: Database\n", f"    db: Database\n{block}")
    (bakery / "bakery.py").write_text(f"import threading\n{code}", encoding="utf-8")
    with Up(bakery, "split", "--no-reload") as process:
        line = process.err.wait_for("Everything in this process waits for")
    assert line.startswith("back/0 ")
    assert "bakery.py:18, in startup" in line


def test_a_start_that_fails_for_all_replicas_ends(bakery: Path) -> None:
    code = CODE.replace("from ramet import", "import sys\n\nfrom ramet import")
    given_up = "\n\nif 'up' not in sys.argv:\n    sys.exit(2)\n"
    (bakery / "bakery.py").write_text(code + given_up, encoding="utf-8")
    with Up(bakery, "split", "--no-reload") as process:
        assert process.ended() == 2
        assert "given up" in process.err.wait_for("given up")
