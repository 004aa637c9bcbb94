"""Replicas without a supervisor find each other as on Kubernetes: under their group's name, at the port in ramet.toml.

Each replica has a file of host names of its own making in the place of /etc/hosts, in a mount namespace of its own, and
asks it through the resolver of the system. A headless service is a name with several addresses there.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from ramet.clock import SystemClock
from ramet.identity.keys import PUBLIC, signing_key, write_private
from ramet.identity.tokens import Issuer, issuer_of
from ramet.model.topology import ASSIGNMENT, Assignment

pytestmark = pytest.mark.needs("namespaces")
PATIENCE_SECONDS = 60.0
CODE = """
import os

from ramet import Api, Contract, get, query


class Ovens(Contract, version="1.0.0"):
    @query
    async def pid(self) -> int: ...


class OvensService(Ovens):
    async def pid(self) -> int:
        return os.getpid()


class Counter(Api, prefix="/api", version="1.0.0"):
    ovens: Ovens

    @get("/pid")
    async def pid(self) -> int:
        return await self.ovens.pid()
"""
TOML = """
[application]
name = "bakery"
services = ["bakery"]

[deployment.split]

[deployment.split.process.front]
services = ["counter"]
internal = "tcp://0.0.0.0:{front}"

[deployment.split.process.rest]
services = "*"
internal = "tcp://0.0.0.0:{rest}"
"""
GROUPS = {"front": ("counter",), "rest": ("ovens",)}
MAY_CALL = {"front": frozenset({"ovens"}), "rest": frozenset[str]()}
IN_A_NAMESPACE = 'mount --bind "$1" /etc/hosts && exec "$2" -m ramet replica'


class Cluster:
    """Pods: processes with a folder each, an address of the loopback network, and one file of names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in GROUPS}
        self.names: dict[str, list[str]] = {"front": ["127.0.0.1"], "rest": []}
        self.hosts = folder / "hosts"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.running: list[subprocess.Popen[bytes]] = []
        self.keys = folder / "keys"
        self.issuer = Issuer(signing_key(self.keys), issuer_of("bakery", "split"), clock=SystemClock())
        signing_key(self.keys / "callers")
        self.publish()

    def publish(self, **names: list[str]) -> None:
        """From now on these are the addresses of the names."""
        self.names |= names
        lines = [f"{address} {name}" for name, addresses in self.names.items() for address in addresses]
        self.hosts.write_text("\n".join(["127.0.0.1 localhost", *lines, ""]), encoding="utf-8")  # the same file

    def start(self, group: str, number: int, address: str) -> subprocess.Popen[bytes]:
        """A pod of a group."""
        home = self.folder / f"{group}-{address}"
        if not home.exists():
            home.mkdir()
            (home / "bakery.py").write_text(CODE, encoding="utf-8")
            (home / "ramet.toml").write_text(TOML.format(**self.ports), encoding="utf-8")
        token = home / "token"
        name = f"{group}/{number}"
        write_private(token, self.issuer.replica(name, hosts=GROUPS[group], may_call=MAY_CALL[group]))
        public = group == "front"
        assignment = Assignment(
            deployment="split",
            group=group,
            replica=number,
            hosts=GROUPS[group],
            groups=GROUPS,
            internal=f"tcp://{address}:{self.ports[group]}",
            listener=self.listener.fileno() if public else None,
            token=str(token),
            keys=str(self.keys / PUBLIC),
            speaks_for_users=public,
        )
        environment = {**os.environ, ASSIGNMENT: msgspec.json.encode(assignment).decode()}
        made = subprocess.Popen(
            ["unshare", "-Urm", "sh", "-c", IN_A_NAMESPACE, "sh", str(self.hosts), sys.executable],
            cwd=home,
            env=environment,
            pass_fds=(self.listener.fileno(),),
        )
        self.running.append(made)
        while not is_listened_on(address, self.ports[group]):
            assert made.poll() is None
        return made

    def answered(self) -> int:
        """Which pod answers."""
        answer = httpx.get(f"{self.url}/api/pid", timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        return int(answer.json())

    def until_answered_by(self, *pods: subprocess.Popen[bytes]) -> None:
        """Wait until these, all of them and nobody else, answer; no request fails meanwhile."""
        wanted = {pod.pid for pod in pods}
        seen: list[int] = []
        while set(seen[-20:]) != wanted:
            seen.append(self.answered())

    def end(self) -> None:
        for pod in self.running:
            pod.send_signal(signal.SIGKILL)
            pod.wait()
        self.listener.close()


def is_listened_on(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.end()


def test_replicas_come_and_go_under_one_name(cluster: Cluster) -> None:
    assert shutil.which("unshare")
    one = cluster.start("rest", 0, "127.0.0.2")
    two = cluster.start("rest", 1, "127.0.0.3")
    cluster.publish(rest=["127.0.0.2", "127.0.0.3"])
    cluster.start("front", 0, "127.0.0.1")
    cluster.until_answered_by(one, two)

    two.send_signal(signal.SIGKILL)  # it goes, and the name says so only later
    two.wait()
    cluster.until_answered_by(one)
    cluster.publish(rest=["127.0.0.2"])
    cluster.until_answered_by(one)

    three = cluster.start("rest", 1, "127.0.0.4")  # it comes back elsewhere
    cluster.publish(rest=["127.0.0.2", "127.0.0.4"])
    cluster.until_answered_by(one, three)

    one.send_signal(signal.SIGTERM)  # it is exchanged: taken off the name, ended, and there again at its address
    cluster.publish(rest=["127.0.0.4"])
    assert one.wait(PATIENCE_SECONDS) == 0
    cluster.until_answered_by(three)
    cluster.publish(rest=["127.0.0.2", "127.0.0.4"])
    cluster.until_answered_by(cluster.start("rest", 0, "127.0.0.2"), three)
