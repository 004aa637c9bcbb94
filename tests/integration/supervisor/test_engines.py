"""`ramet up --engines`: the servers that a deployment names are started beside it, provisioned, and ended with it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.deployment import Up, ramet
from tests.integration.supervisor.bakery import TOML, reachable
from tests.integration.supervisor.test_up import loaves

ENGINES = """
[deployment.split]
storage = "postgresql://127.0.0.1:1"
broker = "{broker}://127.0.0.1:1"
"""


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(name)) for name in ("nats", "redis")])
def bakery(request: pytest.FixtureRequest) -> Iterator[Path]:
    engines = ENGINES.format(broker=request.param)
    with reachable(TOML.replace("\n[deployment.split]\n", engines)) as folder:
        yield folder


@pytest.mark.needs("postgresql")
def test_it_runs_on_servers_of_its_own_also_after_it_was_killed(bakery: Path) -> None:
    without = ramet(bakery, "up", "split", "--no-reload")
    assert (without.returncode, "PostgreSQL does not answer" in without.stderr) == (2, True)
    with Up(bakery, "split", "--engines", "--no-reload") as process:
        assert loaves(process.ready()["url"]) == 12
        process.send(signal.SIGKILL)
        process.ended()
    with Up(bakery, "split", "--engines", "--no-reload") as process:
        assert loaves(process.ready()["url"]) == 12
        upgraded = ramet(bakery, "db", "upgrade", "-d", "split")  # on the server that runs, not where ramet.toml says
        assert (upgraded.returncode, upgraded.stdout.split()[3]) == (0, "ovens"), upgraded.stderr
        assert ramet(bakery, "db", "status", "-d", "split").returncode == 0
        assert ramet(bakery, "scale", "back", "2").stdout == "back: 2 replicas, 1 started\n"
        assert process.stop() == 0
    assert not list((bakery / ".ramet" / "split").rglob("postmaster.pid"))


@pytest.mark.needs("postgresql", "nats")
def test_a_second_signal_ends_the_servers_too(bakery: Path) -> None:
    with Up(bakery, "split", "--engines", "--no-reload") as process:
        process.ready()
        assert list((bakery / ".ramet" / "split").rglob("postmaster.pid"))
        process.send(signal.SIGTERM)
        process.err.wait_for("Stopping")
        process.send(signal.SIGTERM)
        assert process.ended() in {0, 130}  # it may have been fast enough
    while list((bakery / ".ramet" / "split").rglob("postmaster.pid")):
        pass
