"""A replica's side of the supervisor's socket: told at once, and not lost when the supervisor goes and comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.errors import Unavailable
from ramet.model.topology import Assignment
from ramet.runtime.discovery.messages import Drain, Hello
from ramet.runtime.discovery.supervised import SupervisedDiscovery
from ramet.runtime.operators.requests import Counts, Traffic
from ramet.runtime.supervisor.hub import Hub, Link
from ramet.tasks import Tasks
from ramet.transport.base import Endpoint

ENDPOINT = Endpoint(address="unix:/here", group="edge", replica=1)
OTHER = Endpoint(address="unix:/there", group="rest")


class Resident:
    """What a replica has said, and the way to it."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.link: Link | None = None
        self.heard = asyncio.Event()

    def connected(self, link: Link) -> None:
        self.link = link

    def registered(self, endpoint: Endpoint) -> None:
        self.said.append(endpoint)

    def is_ready(self) -> None:
        self.said.append("ready")
        self.heard.set()

    def beat(self, counts: Counts | None) -> None:
        if counts is not None:
            self.said.append(counts)
            self.heard.set()

    def leaving(self) -> None:
        self.said.append("leaving")
        self.heard.set()


def discovery_at(path: Path, tasks: Tasks) -> SupervisedDiscovery:
    assignment = Assignment(
        deployment="split", group="edge", replica=1, hosts=(), internal="unix:/here", supervisor=str(path)
    )
    return SupervisedDiscovery(assignment, clock=SystemClock(), spawn=tasks.spawn)


async def test_it_registers_hears_of_changes_drains_and_leaves(tmp_path: Path) -> None:
    tasks, resident, told, changed = Tasks(), Resident(), [], asyncio.Event()
    greeted: list[Hello] = []

    def find(hello: Hello) -> Resident:
        greeted.append(hello)
        return resident

    hub = Hub(tmp_path / "s.sock", find)
    await hub.start()
    hub.publish({"rest": ()})
    discovery = discovery_at(tmp_path / "s.sock", tasks)
    draining = asyncio.Event()
    discovery.on_drain(draining.set)

    def hear(found: Sequence[Endpoint]) -> None:
        told.append(tuple(found))
        changed.set()

    discovery.watch("rest", hear)
    await discovery.start()
    assert told == [()]
    await discovery.register(ENDPOINT)
    await discovery.ready()
    await resident.heard.wait()
    assert (resident.said, greeted[0].replica) == ([ENDPOINT, "ready"], 1)
    changed.clear()
    hub.publish({"rest": (OTHER,)})
    hub.publish({"rest": (OTHER,)})
    await changed.wait()
    assert told == [(), (OTHER,)]
    assert resident.link is not None
    resident.link.tell(Drain())
    await draining.wait()
    resident.heard.clear()
    await discovery.leave()
    await resident.heard.wait()
    assert resident.said[-1] == "leaving"
    counted = Counts(traffic=(Traffic(caller="", method="Stock.take", calls=3),))
    discovery.report(lambda: counted)
    resident.heard.clear()
    await discovery.close()
    await resident.heard.wait()
    assert resident.said[-1] == counted
    await hub.stop()
    await tasks.stop()


async def test_it_hears_of_the_groups_it_watches_and_of_no_other(tmp_path: Path) -> None:
    tasks, told, changed = Tasks(), [], asyncio.Event()
    hub = Hub(tmp_path / "s.sock", lambda _: Resident())
    await hub.start()
    hub.publish({"rest": (OTHER,), "edge": (ENDPOINT,)})
    discovery = discovery_at(tmp_path / "s.sock", tasks)
    await discovery.start()
    known: list[str] = []
    heard = discovery._update  # what comes over the wire, watched or not
    discovery._update = lambda group, found: (known.append(group), heard(group, found))  # type: ignore[assignment]  # a listener in between

    def hear(found: Sequence[Endpoint]) -> None:
        told.append(tuple(found))
        changed.set()

    discovery.watch("rest", hear)
    await changed.wait()
    changed.clear()
    hub.publish({"edge": ()})
    hub.publish({"rest": (), "edge": (ENDPOINT,)})
    await changed.wait()
    assert (told, known) == ([(OTHER,), ()], ["rest", "rest"])
    await discovery.leave()
    await discovery.close()
    await hub.stop()
    await tasks.stop()


async def test_it_comes_again_and_says_what_it_has_said(tmp_path: Path) -> None:
    tasks, first, second = Tasks(), Resident(), Resident()
    hub = Hub(tmp_path / "s.sock", lambda _: first)
    await hub.start()
    hub.publish({"rest": (OTHER,)})
    discovery = discovery_at(tmp_path / "s.sock", tasks)
    told: list[Sequence[Endpoint]] = []
    discovery.watch("rest", told.append)
    await discovery.start()
    await discovery.register(ENDPOINT)
    await discovery.ready()
    await first.heard.wait()
    await hub.stop()
    again = Hub(tmp_path / "s.sock", lambda _: second)
    await again.start()
    await second.heard.wait()
    assert second.said == [ENDPOINT, "ready"]
    assert told == [(OTHER,)]
    await discovery.leave()
    await discovery.close()
    await again.stop()
    await tasks.stop()


async def test_a_stranger_is_hung_up_on(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "s.sock", lambda _: None)
    await hub.start()
    for greeting in (b'{"type":"hello","group":"x","replica":0,"pid":1}\n', b"rubbish\n", b""):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s.sock")
        writer.write(greeting)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    await hub.stop()


async def test_without_a_supervisor_a_replica_does_not_start(tmp_path: Path) -> None:
    tasks = Tasks()
    with pytest.raises(Unavailable, match=r"does not answer on .*s\.sock: is it running"):
        await discovery_at(tmp_path / "s.sock", tasks).start()
