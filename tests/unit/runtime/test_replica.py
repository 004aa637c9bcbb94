"""A replica finds the others through its supervisor, or where there is none through DNS."""

from __future__ import annotations

from ramet.clock import SystemClock
from ramet.model.topology import Assignment, Deployment
from ramet.runtime.discovery.dns import DnsDiscovery
from ramet.runtime.discovery.supervised import SupervisedDiscovery
from ramet.runtime.replica import discovery_of
from ramet.tasks import Tasks


def assigned(**how: object) -> Assignment:
    return Assignment(deployment="d", group="g", replica=0, hosts=(), internal="tcp://0.0.0.0:7000", **how)  # type: ignore[arg-type]  # as the test says


def test_a_supervisor_goes_before_dns() -> None:
    found = discovery_of(assigned(supervisor="/nowhere"), Deployment(), clock=SystemClock(), spawn=Tasks().spawn)
    assert isinstance(found, SupervisedDiscovery)


def test_without_one_it_is_dns() -> None:
    found = discovery_of(
        assigned(names={"rest": "rest.shop:7000"}), Deployment(), clock=SystemClock(), spawn=Tasks().spawn
    )
    assert isinstance(found, DnsDiscovery)
