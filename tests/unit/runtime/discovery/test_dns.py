"""A group's name becomes its endpoints, and every change of them is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ramet.clock import VirtualClock
from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment, Group
from ramet.runtime.discovery.dns import INTERVAL_SECONDS, DnsDiscovery, names_of
from ramet.tasks import Tasks
from ramet.transport.base import Endpoint


class Names:
    """A resolver whose answers are set, or what asking it raises."""

    def __init__(self, **addresses: list[str] | Exception) -> None:
        self.addresses = addresses

    async def __call__(self, host: str) -> Sequence[str]:
        found = self.addresses.get(host, [])
        if isinstance(found, Exception):
            raise found
        return found


@pytest.mark.parametrize("failure", [OSError("no network"), RuntimeError("can't start new thread")])
async def test_addresses_are_told_when_they_change_and_kept_when_nobody_can_be_asked(failure: Exception) -> None:
    clock, tasks, names = VirtualClock(), Tasks(), Names(rest=["10.0.0.2", "10.0.0.1", "10.0.0.1"])
    discovery = DnsDiscovery({"rest": "tls://rest:7000"}, clock=clock, spawn=tasks.spawn, resolve=names)
    told: list[list[str]] = []
    discovery.watch("rest", lambda found: told.append([one.address for one in found]))
    await discovery.start()
    assert told == [["tls://10.0.0.1:7000", "tls://10.0.0.2:7000"]]
    names.addresses["rest"] = failure
    await clock.advance(INTERVAL_SECONDS)
    names.addresses["rest"] = ["fd00::1"]
    await clock.advance(INTERVAL_SECONDS)
    await clock.advance(INTERVAL_SECONDS)
    assert told[1:] == [["tls://[fd00::1]:7000"]]
    await discovery.leave()
    await tasks.stop()


async def test_a_name_that_is_not_there_is_nobody() -> None:
    clock, tasks = VirtualClock(), Tasks()
    discovery = DnsDiscovery({"rest": "rest:7000"}, clock=clock, spawn=tasks.spawn, resolve=Names())
    told: list[Sequence[Endpoint]] = []
    discovery.watch("rest", told.append)
    await discovery.start()
    assert told == [()]
    discovery.watch("rest", told.append)
    assert told == [(), ()]
    await discovery.leave()
    await tasks.stop()


def test_a_group_is_found_under_its_own_name_at_its_port_unless_it_is_given() -> None:
    deployment = Deployment(
        groups=(
            Group(name="edge", services=("web",)),
            Group(name="any", services=("any",), internal="tcp://0.0.0.0:0"),
            Group(name="rest", services=("*",), internal="tls://[::]:7000"),
            Group(name="money", services=("pay",), internal="tcp://0.0.0.0:7001"),
        )
    )
    found = names_of(deployment, {"money": "tls://money.shop.svc:7443"})
    assert found == {"rest": "tls://rest:7000", "money": "tls://money.shop.svc:7443"}
    discovery = DnsDiscovery(found, clock=VirtualClock(), spawn=Tasks().spawn)
    with pytest.raises(
        ConfigurationError, match=r'edge cannot be found by name: .* internal = "tcp://0\.0\.0\.0:7000"'
    ):
        discovery.watch("edge", lambda _: None)


async def test_a_group_that_is_watched_later_is_asked_for_at_once() -> None:
    clock, tasks = VirtualClock(), Tasks()
    discovery = DnsDiscovery({"rest": "rest:7000"}, clock=clock, spawn=tasks.spawn, resolve=Names(rest=["10.0.0.1"]))
    await discovery.start()
    told: list[list[str]] = []
    discovery.watch("rest", lambda found: told.append([one.address for one in found]))
    await clock.settle()
    assert told == [["tcp://10.0.0.1:7000"]]
    await discovery.leave()
    await tasks.stop()
