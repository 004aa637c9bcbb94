"""What a replica decides about the calls that it makes reaches the log, and whoever listens there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ramet.clock import SystemClock
from ramet.model.topology import Assignment
from ramet.runtime.discovery.dns import DnsDiscovery
from ramet.runtime.neighbours import Neighbours
from ramet.tasks import Tasks
from ramet.transport.base import Endpoint
from ramet.transport.options import TransportOptions
from ramet.transport.policy.moments import Decision, Moment


class Listener(logging.Handler):
    """A handler of one's own, as the guide says."""

    def __init__(self) -> None:
        super().__init__()
        self.told: asyncio.Queue[Moment] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        if (moment := vars(record).get("moment")) is not None:
            self.told.put_nowait(moment)


class Found(DnsDiscovery):
    """Knows one replica of each group, which is not there."""

    def watch(self, group: str, changed: Any) -> None:
        changed([Endpoint(address="unix:/nowhere/money.sock", group=group)])


@pytest.fixture
def listener(caplog: pytest.LogCaptureFixture) -> Iterator[Listener]:
    log, listener = logging.getLogger("ramet.calls"), Listener()
    with caplog.at_level(logging.DEBUG, log.name):
        log.addHandler(listener)
        yield listener
        log.removeHandler(listener)


async def test_decisions_of_a_caller_reach_the_log(listener: Listener, tmp_path: Path) -> None:
    clock, tasks = SystemClock(), Tasks()
    groups = {"payments": ("payments",)}
    assignment = Assignment(
        deployment="split", group="rest", replica=0, hosts=("orders",), internal=f"unix:{tmp_path}/rest", groups=groups
    )
    found = Found({}, clock=clock, spawn=tasks.spawn)
    options = TransportOptions(application="shop", name="rest-0")
    around = Neighbours(assignment, found, clock=clock, spawn=tasks.spawn, options=options, token=None)
    around.upstream("payments")
    async with asyncio.timeout(20):
        moment = await listener.told.get()
    await around.close()
    await tasks.stop()
    assert (moment.decision, moment.address) == (Decision.NOT_REACHED, "unix:/nowhere/money.sock")
