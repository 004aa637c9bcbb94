"""`ramet up` as a process: it starts, drains, survives being killed, and says what keeps it from starting."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ramet.runtime.operators.protocol import address
from tests.integration.cli.deployment import PATIENCE_SECONDS, greet, ramet, up

GATE = """
    @get("/gate", deadline="50s")
    async def gate(self) -> str:
        import asyncio
        from pathlib import Path

        return await asyncio.to_thread(Path("gate").read_text)
"""


def refused(url: str) -> None:
    """Ask until nobody listens any more."""
    with contextlib.suppress(httpx.TransportError):
        while httpx.get(f"{url}/healthz", timeout=PATIENCE_SECONDS).status_code:
            pass


def begin(hello: Path, line: str) -> None:
    """Let the service do this in its startup()."""
    with (hello / "hello" / "greetings" / "service.py").open("a", encoding="utf-8") as file:
        file.write(f"\n    async def startup(self) -> None:\n        {line}\n")


def test_it_serves_and_says_where(hello: Path) -> None:
    with up(hello) as process:
        ready = process.ready()
        assert ready["application"] == "hello"
        assert ready["pid"] == process.pid
        assert ready["addresses"] == [{"name": "web", "url": f"{ready['url']}/api"}]
        assert greet(ready) == {"text": "Hello, Ada!", "times": 1}
        assert httpx.get(f"{ready['url']}/healthz").status_code == 200
        assert httpx.get(ready["documentation"][0]).status_code == 200
        assert process.stop() == 0


def test_an_interruption_ends_it_well(hello: Path) -> None:
    with up(hello) as process:
        process.ready()
        process.send(signal.SIGINT)
        assert process.ended() == 0


def test_what_is_in_flight_is_finished_before_it_ends(hello: Path) -> None:
    with (hello / "hello" / "web.py").open("a", encoding="utf-8") as file:
        file.write(GATE)
    os.mkfifo(hello / "gate")
    answers: list[httpx.Response] = []
    with up(hello) as process:
        url = process.ready()["url"]
        asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{url}/api/gate", timeout=PATIENCE_SECONDS)))
        asking.start()
        with (hello / "gate").open("w", encoding="utf-8") as gate:  # opens when the request has come to reading it
            process.send(signal.SIGTERM)
            process.err.wait_for("Stopping")
            refused(url)
            gate.write("through")
        assert process.ended() == 0
        asking.join()
    assert [answer.json() for answer in answers] == ["through"]


def test_a_second_signal_does_not_wait(hello: Path) -> None:
    with (hello / "hello" / "web.py").open("a", encoding="utf-8") as file:
        file.write(GATE)
    os.mkfifo(hello / "gate")
    with up(hello) as process:
        url = process.ready()["url"]

        def ask() -> None:
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}/api/gate", timeout=PATIENCE_SECONDS)

        asking = threading.Thread(target=ask)
        asking.start()
        with (hello / "gate").open("w", encoding="utf-8"):
            process.send(signal.SIGTERM)
            process.err.wait_for("Stopping")
            process.send(signal.SIGTERM)
            assert process.ended() == 130
        asking.join()


def test_what_was_answered_survives_kill_9(hello: Path) -> None:
    with up(hello) as process:
        assert greet(process.ready())["times"] == 1
        process.kill()
    with up(hello) as process:
        ready = process.ready()
        assert greet(ready)["times"] == 2
        assert ramet(hello, "status").stdout.startswith("hello · local · running")


def test_a_second_one_on_the_same_data_is_refused(hello: Path) -> None:
    with up(hello) as first:
        first.ready()
        with up(hello) as second:
            assert second.ended() == 2
            assert f"runs already, as process {first.pid}" in second.err.wait_for("error")
        address(hello / ".ramet" / "local").unlink()
        with up(hello) as third:
            assert third.ended() == 2
            assert f"runs already, as process {first.pid}" in third.err.wait_for("error")
        assert first.stop() == 0


def test_a_port_that_is_taken_is_one_sentence(hello: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = ramet(hello, "up", "--listen", f":{port}")
        toml = hello / "ramet.toml"
        table = f'\n[deployment.here]\nlisten = "127.0.0.1:{port}"\n'
        toml.write_text(toml.read_text(encoding="utf-8") + table, encoding="utf-8")
        line = toml.read_text(encoding="utf-8").splitlines().index(table.splitlines()[2]) + 1
        other_way = ramet(hello, "up", "here", "--no-reload")
    name = Path("/proc/self/comm")
    holder = f"process {os.getpid()} ({name.read_text().strip()})" if name.exists() else "another program"
    for ended, where in ((done, "with --listen"), (other_way, f"in ramet.toml:{line}")):
        assert ended.returncode == 2
        assert ended.stderr == (
            f"error: Port {port} of 127.0.0.1 is taken by {holder}: stop that, or choose another port {where}.\n"
        )


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[application", "ramet.toml:1: "),
        ('[application]\nname = "hello"\n', "[application] needs services."),
        (
            '[application]\nname = "hello"\nservices = []\n[deployment.local]\nlisten = "here"\n',
            "ramet.toml:5: listen is",
        ),
        (
            '[application]\nname = "hello"\nservices = []\n[deployment.local]\nlissten = "a:1"\n',
            'did you mean "listen"?',
        ),
    ],
)
def test_a_broken_configuration_is_one_sentence(hello: Path, toml: str, sentence: str) -> None:
    (hello / "ramet.toml").write_text(toml, encoding="utf-8")
    done = ramet(hello, "up")
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_broken_code_is_told_with_every_problem(hello: Path) -> None:
    path = hello / "hello" / "greetings" / "contract.py"
    path.write_text(path.read_text(encoding="utf-8").replace(', version="1.0.0"', ""), encoding="utf-8")
    done = ramet(hello, "up", "--no-reload")
    assert done.returncode == 2
    assert "hello/greetings/contract.py:" in done.stderr
    assert "has no version" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_startup_that_fails_is_told_by_its_own_line(hello: Path) -> None:
    begin(hello, 'raise RuntimeError("no printer")')
    done = ramet(hello, "up", "--no-reload")
    assert done.returncode == 1
    assert re.search(r"error: RuntimeError: no printer \(hello/greetings/service.py:\d+, in startup\)", done.stderr)
    assert "ramet/cli" not in done.stderr


def test_an_interruption_ends_it_before_it_is_ready(hello: Path) -> None:
    begin(hello, 'print("waiting", flush=True); import asyncio; await asyncio.Event().wait()')
    with up(hello) as process:
        process.out.wait_for("waiting")
        process.send(signal.SIGTERM)
        process.err.wait_for("Stopped before it was ready.")
        assert process.ended() == 0


def test_a_deployment_that_is_not_there_is_refused(hello: Path) -> None:
    done = ramet(hello, "up", "moon")
    assert (done.returncode, done.stderr) == (2, 'error: ramet.toml has no deployment "moon"; it has local.\n')


def test_a_data_folder_that_cannot_be_made_is_one_sentence(hello: Path) -> None:
    (hello / ".ramet").write_text("a file, not a folder", encoding="utf-8")
    done = ramet(hello, "up", "--listen", ":0")
    assert done.returncode == 2
    assert "cannot be used: Not a directory. Choose another data folder." in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_too_deep_for_a_socket_is_no_obstacle(hello: Path) -> None:
    deep = hello / "/".join(["deep" * 10] * 4)
    deep.mkdir(parents=True)
    (deep / "ramet.toml").write_text('[application]\nname = "deep"\nservices = []\n', encoding="utf-8")
    with up(deep) as process:
        process.ready()
        status = msgspec.json.decode(ramet(deep, "status", "--json").stdout)
        assert status["pid"] == process.pid
        assert process.stop() == 0


def test_operators_talk_to_the_process_that_runs(hello: Path) -> None:
    with up(hello) as process:
        ready = process.ready()
        greet(ready)
        status: Any = msgspec.json.decode(ramet(hello, "status", "--json").stdout)
        assert (status["running"], status["pid"]) == (True, process.pid)
        (service,) = status["services"]
        assert (service["name"], service["calls"], service["refusals"], service["errors"]) == ("greetings", 1, 0, 0)
        called = ramet(hello, "call", "greetings.times", '{"name": "Ada"}')
        assert (called.returncode, called.stdout) == (0, "1\n")
        refused = ramet(hello, "call", "greetings.greet", '{"name": ""}')
        assert (refused.returncode, refused.stdout) == (1, "")
        wrong = ramet(hello, "call", "greetings.greet", '{"nam": ""}')
        assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
        assert 'greetings.greet has no parameter "nam"; it takes name.' in wrong.stderr
        assert ramet(hello, "sagas", "show", "Checkout/1").returncode == 1
        process.stop()
    assert msgspec.json.decode(ramet(hello, "status", "--json").stdout)["running"] is False
    assert not address(hello / ".ramet" / "local").exists()


def test_without_a_name_operators_ask_the_deployment_that_runs(hello: Path) -> None:
    with (hello / "ramet.toml").open("a", encoding="utf-8") as file:
        file.write("\n[deployment.other]\n")
    with up(hello, "other") as other:
        other.ready()
        assert "other · running" in ramet(hello, "status").stdout
        with up(hello) as local:
            local.ready()
            undecided = ramet(hello, "call", "greetings.times", '{"name": "Ada"}')
            assert undecided.returncode == 2
            assert "Several deployments run (local, other): name one with --deployment." in undecided.stderr
            assert "local · running" in ramet(hello, "status", "-d", "local").stdout
    assert "local · not running" in ramet(hello, "status").stdout


def test_the_socket_is_for_its_owner_alone(hello: Path) -> None:
    with up(hello) as process:
        process.ready()
        assert address(hello / ".ramet" / "local").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("sagas", "list"),
        ("events", "list"),
        ("check",),
        ("model",),
        ("openapi",),
        ("db", "status"),
        ("call", "greetings.times", '{"name": "Ada"}'),
    ],
)
def test_every_answer_can_be_had_in_json(hello: Path, words: tuple[str, ...]) -> None:
    with up(hello) as process:
        process.ready()
        done = ramet(hello, *words, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        msgspec.json.decode(done.stdout)
